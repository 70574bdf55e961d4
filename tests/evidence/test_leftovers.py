"""The control of the campaigns: whoever says that nothing is left must find what is there."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.evidence.leftovers import leftovers

WHO = b"Wang Xiaoer, Zhongguancun"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# IPTC-IIM 4.2 inside Photoshop's resource 0x0404: record 2, set 80 (by-line).
BYLINE = b"\x1c\x02\x50" + struct.pack(">H", len(WHO)) + WHO
RESOURCE = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(BYLINE)) + BYLINE
PHOTOSHOP = b"Photoshop 3.0\0" + RESOURCE + b"\0" * (len(RESOURCE) % 2)


def drawn(form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, form, **options)
    return out.getvalue()


def tags() -> bytes:
    exif = Image.Exif()
    exif[0x013B] = WHO.decode()  # Artist
    exif.get_ifd(0x8825)[2] = (39.0, 58.0, 55.0)  # GPSLatitude
    return exif.tobytes()


def segment(marker: int, told: bytes) -> bytes:
    """A JPEG with one more segment behind its first."""
    whole = drawn("JPEG")
    at = 4 + int.from_bytes(whole[4:6]) - 2 + 2
    return whole[:at] + bytes((0xFF, marker)) + struct.pack(">H", len(told) + 2) + told + whole[at:]


def chunk(name: bytes, told: bytes) -> bytes:
    """A PNG with one more chunk before its end."""
    whole = drawn("PNG")
    one = struct.pack(">I", len(told)) + name + told + struct.pack(">I", zlib.crc32(name + told))
    return whole[:-12] + one + whole[-12:]


def texts() -> PngImagePlugin.PngInfo:
    found = PngImagePlugin.PngInfo()
    found.add_text("Author", WHO.decode(), zip=True)
    return found


PLANTED = {
    "JPEG: EXIF": drawn("JPEG", exif=tags()),
    "JPEG: XMP": drawn("JPEG", xmp=XMP),
    "JPEG: ICC": drawn("JPEG", icc_profile=PROFILE),
    "JPEG: comment": drawn("JPEG", comment=WHO),
    "JPEG: IPTC": segment(0xED, PHOTOSHOP),
    "JPEG: a maker's own segment": segment(0xEA, b"\1" + WHO),
    "JPEG: words in APP0": segment(0xE0, b"AVI1" + WHO),
    "JPEG: behind the end": drawn("JPEG") + WHO,
    "JPEG: another picture behind the end": drawn("JPEG") + drawn("JPEG"),
    "PNG: EXIF": drawn("PNG", exif=tags()),
    "PNG: ICC": drawn("PNG", icc_profile=PROFILE),
    "PNG: packed text": drawn("PNG", pnginfo=texts()),
    "PNG: tEXt behind the pixels": chunk(b"tEXt", b"Author\0" + WHO),
    "PNG: iTXt": chunk(b"iTXt", b"Author\0\0\0\0\0" + WHO),
    "PNG: zTXt": chunk(b"zTXt", b"Author\0\0" + zlib.compress(WHO)),
    "PNG: behind the end": drawn("PNG") + WHO,
    "WebP: EXIF": drawn("WEBP", exif=tags()),
    "WebP: XMP": drawn("WEBP", xmp=XMP),
    "WebP: ICC": drawn("WEBP", icc_profile=PROFILE),
    "WebP: behind the end": drawn("WEBP") + WHO,
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_planted_is_found(planted: str) -> None:
    assert leftovers(PLANTED[planted])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_tells_nothing_is_said_to_tell_nothing(form: str) -> None:
    assert leftovers(drawn(form)) == []
