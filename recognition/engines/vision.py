"""Words read on a photo, and a vector of what is on it, inside a worker.

PP-OCR through rapidocr, EfficientNet-Lite1 through onnxruntime. Knows no indicator.
"""

import msgspec
import numpy as np
import onnxruntime
from PIL import Image
from rapidocr import RapidOCR

from recognition.engines.lite1 import as_onnx
from recognition.engines.picture import opened
from recognition.vision import Looked, Settings
from recognition.weights import located
from recognition.worker import Engine

SIDE = 240
"""Pixels a side that Lite1 was trained on."""

READ_SIDE = 1600
"""Longest side for reading: a number on a small ad in a 12-megapixel photo is still 20 px high."""


def load(settings: bytes) -> Engine:
    """The engine: a picture's file to what was read and seen (`Looked`, msgpack)."""
    wanted = msgspec.msgpack.decode(settings, type=Settings)
    reader = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": READ_SIDE,
            "Det.model_path": str(located(wanted.detection)),
            "Cls.model_path": str(located(wanted.direction)),
            "Rec.model_path": str(located(wanted.reading)),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = None
    if wanted.seen is not None:
        model = as_onnx(located(wanted.seen).read_bytes())
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])

    def look(question: bytes) -> bytes:
        picture = opened(question)
        vector = b"" if session is None else _vector(session, picture)
        picture.thumbnail((READ_SIDE, READ_SIDE))
        found = reader(np.asarray(picture)[:, :, ::-1])
        lines = zip(found.txts or (), found.scores or (), strict=True)
        read = tuple((str(text), float(score)) for text, score in lines)
        return msgspec.msgpack.encode(Looked(read, vector))

    return look


def _vector(session: onnxruntime.InferenceSession, picture: Image.Image) -> bytes:
    """The 1,280 averages before the last layer, of the whole picture."""
    small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
    # The TensorFlow weights were trained on (x - 127) / 128.
    given = ((small - 127.0) / 128.0).transpose(2, 0, 1)[None]
    (seen,) = session.run(["vector"], {"picture": given})
    return np.asarray(seen, dtype="<f4").tobytes()
