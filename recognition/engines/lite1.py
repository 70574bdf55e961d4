"""EfficientNet-Lite1 as ONNX, made from the published checkpoint without the library that wrote it.

The checkpoint is a pickle: read by an unpickler that builds tensors and refuses all else. The
layers follow the paper and the Lite variant: https://arxiv.org/abs/1905.11946, no squeeze-and-
excitation, ReLU6, stem and head not scaled.
"""

import io
import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import NodeProto

from recognition.model import Unavailable

Floats = npt.NDArray[np.float32]

_DEEPER = 1.1  # times the blocks of Lite0
_EPSILON = 1e-3  # of the batch norms


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expand: int
    before: int
    after: int


_STAGES = (
    _Stage(1, 3, 1, 1, 32, 16),
    _Stage(2, 3, 2, 6, 16, 24),
    _Stage(2, 5, 2, 6, 24, 40),
    _Stage(3, 3, 2, 6, 40, 80),
    _Stage(3, 5, 1, 6, 80, 112),
    _Stage(4, 5, 2, 6, 112, 192),
    _Stage(1, 3, 1, 6, 192, 320),
)


class _Storage(NamedTuple):
    key: str


class _Slice(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


def _slice(
    storage: _Storage, offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_rest: object
) -> _Slice:
    return _Slice(storage, offset, shape, steps)


class _Reader(pickle.Unpickler):
    """Builds what a checkpoint of plain tensors is made of; any other name is refused."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.kinds: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> object:
        known: dict[tuple[str, str], object] = {
            ("torch._utils", "_rebuild_tensor_v2"): _slice,
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): "f4",
            ("torch", "LongStorage"): "i8",
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: tuple[object, ...]) -> _Storage:
        key = str(pid[2])
        self.kinds[key] = str(pid[1])
        return _Storage(key)


def tensors(checkpoint: bytes) -> dict[str, Floats]:
    """The tensors of a checkpoint in the old (pre-zip) form, by name.

    Raises Unavailable for a file of another form.
    """
    file = io.BytesIO(checkpoint)
    try:
        for _ in range(3):  # magic number, protocol, and what machine wrote it
            _Reader(file).load()
        reader = _Reader(file)
        named = reader.load()
        stored: dict[str, npt.NDArray[np.generic]] = {}
        for key in _Reader(file).load():
            (count,) = struct.unpack("<q", file.read(8))
            kind = np.dtype("<" + reader.kinds[key])
            stored[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    except (pickle.UnpicklingError, KeyError, struct.error, EOFError, ValueError) as fault:
        raise Unavailable("模型文件不是可识别的格式") from fault
    out: dict[str, Floats] = {}
    for name, part in named.items():
        flat = stored[part.storage.key].astype(np.float32)[part.offset :]
        # The kernels were turned from TensorFlow's order without being copied: steps count.
        furthest = sum((n - 1) * step for n, step in zip(part.shape, part.steps, strict=True))
        if min(part.steps, default=0) < 0 or furthest >= flat.size:
            raise Unavailable("模型文件的张量越界")
        steps = [step * flat.itemsize for step in part.steps]
        out[name] = np.lib.stride_tricks.as_strided(flat, part.shape, steps).copy()
    return out


class _Graph:
    """Nodes and constants of a graph as they come; every convolution takes its batch norm in."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        self._weights = weights
        self.nodes: list[NodeProto] = []
        self.constants = [
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
            numpy_helper.from_array(np.array(6, np.float32), "six"),
        ]

    def add(self, kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, content: Floats) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(content), name))
        return name

    def convolve(self, given: str, layer: str, norm: str, *, stride: int = 1, act: bool) -> str:
        gain, shift, mean, spread = (
            self._weights[f"{norm}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(spread + _EPSILON)
        kernel = self._weights[f"{layer}.weight"]
        out = self.add(
            "Conv",
            [
                given,
                self.constant(kernel * scale[:, None, None, None]),
                self.constant(shift - mean * scale),
            ],
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            auto_pad="SAME_UPPER",
            # A depthwise kernel has one input channel, so each output channel is a group.
            group=kernel.shape[0] if layer.endswith("depthwise_conv") else 1,
        )
        return self.add("Clip", [out, "zero", "six"]) if act else out


def as_onnx(checkpoint: bytes) -> bytes:
    """The network up to its 1,280 averages as an ONNX file: `picture` (1, 3, 240, 240) → `vector`.

    Raises Unavailable for a checkpoint of another form or network.
    """
    try:
        return _built(tensors(checkpoint))
    except KeyError as missing:
        raise Unavailable("模型文件不是 EfficientNet-Lite1") from missing


def _built(weights: dict[str, Floats]) -> bytes:
    graph = _Graph(weights)
    now = graph.convolve("picture", "_conv_stem", "_bn0", stride=2, act=True)
    number = 0
    for index, stage in enumerate(_STAGES):
        edge = index in (0, len(_STAGES) - 1)
        for turn in range(stage.repeats if edge else math.ceil(_DEEPER * stage.repeats)):
            stride = stage.stride if turn == 0 else 1
            same = stride == 1 and (turn > 0 or stage.before == stage.after)
            now = _block(graph, now, f"_blocks.{number}.", stage.expand, stride, same=same)
            number += 1
    now = graph.convolve(now, "_conv_head", "_bn1", act=True)
    now = graph.add("GlobalAveragePool", [now])
    graph.nodes.append(helper.make_node("Flatten", [now], ["vector"]))
    made = helper.make_graph(
        graph.nodes,
        "lite1",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 240, 240])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 1280])],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    serialise: Callable[[], bytes] = model.SerializeToString
    return serialise()


def _block(graph: _Graph, given: str, name: str, expand: int, stride: int, *, same: bool) -> str:
    """Widen, filter each channel alone, narrow; the input is added where the shape stayed."""
    now = given
    if expand != 1:
        now = graph.convolve(now, name + "_expand_conv", name + "_bn0", act=True)
    now = graph.convolve(now, name + "_depthwise_conv", name + "_bn1", stride=stride, act=True)
    now = graph.convolve(now, name + "_project_conv", name + "_bn2", act=False)
    return graph.add("Add", [given, now]) if same else now
