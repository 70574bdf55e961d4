import io
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from evidence.examining import Examined, Examiner, Facts
from evidence.likeness import same_picture
from tests.evidence.scenes import scene
from tests.quickness import quickest

pillow_heif.register_heif_opener()
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
CANARY = "canary-of-the-camera"
SIZE = (480, 320)


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as one:
        yield one


def tags(**changes: object) -> Image.Exif:
    """What a phone writes at 39°59′24″ N, 116°18′30″ E."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Maker", "TestPhone", CANARY
    exif[0x0112] = changes.get("orientation", 1)
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[0x9003] = changes.get("taken", "2025:06:01 10:11:05")
    if "zone" in changes:
        camera[0x9011] = changes["zone"]
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[1], place[3] = "N", "E"
    place[2] = changes.get("north", (39.0, 59.0, 24.0))
    place[4] = changes.get("east", (116.0, 18.0, 30.0))
    place[7], place[29] = (2.0, 11.0, 5.0), "2025:06:01"
    place[31] = Fraction(25, 2)
    return exif


def written(image: Image.Image, form: str, exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    options: dict[str, object] = {"exif": exif.tobytes()} if exif is not None else {}
    if form == "PNG" and exif is not None:
        texts = PngInfo()
        texts.add_text("Comment", CANARY)
        options["pnginfo"] = texts
    if form == "JPEG":
        options |= {"comment": CANARY} if exif is not None else {}
    image.save(out, form, **options)
    return out.getvalue()


def read(examiner: Examiner, content: bytes) -> Examined:
    outcome = examiner.examine([content])
    assert isinstance(outcome, Examined), outcome
    return outcome


def bare(derivative: bytes) -> Image.Image:
    """The derivative as an image, after making sure that it holds pixels and nothing else."""
    image = Image.open(io.BytesIO(derivative))
    assert image.format == "JPEG"
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"canary" not in derivative and b"Exif" not in derivative
    return image.convert("RGB")


@pytest.mark.parametrize("form", FORMATS)
def test_time_place_and_device_are_read_and_nothing_of_it_is_left_in_a_derivative(
    examiner: Examiner, form: str
) -> None:
    content = written(scene(1, SIZE), form, tags(zone="+08:00"))
    assert CANARY.encode() in content
    found = read(examiner, content)
    assert found.facts == Facts(
        any=True,
        taken_at=datetime(2025, 6, 1, 2, 11, 5, tzinfo=UTC),
        zone_told=True,
        gps_at=datetime(2025, 6, 1, 2, 11, 5, tzinfo=UTC),
        longitude=116 + 18 / 60 + 30 / 3600,
        latitude=39 + 59 / 60 + 24 / 3600,
        accuracy_m=12.5,
        make="Maker",
        model="TestPhone",
        software=CANARY,
    )
    assert max(bare(found.display).size) == 480
    assert max(bare(found.thumbnail).size) == 320


def test_a_camera_that_tells_no_zone_is_taken_to_be_in_beijing(examiner: Examiner) -> None:
    facts = read(examiner, written(scene(1, SIZE), "JPEG", tags())).facts
    assert facts.taken_at == datetime(2025, 6, 1, 2, 11, 5, tzinfo=UTC)
    assert not facts.zone_told


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"taken": "0000:00:00 00:00:00"}, "taken_at"),
        ({"taken": "1970:01:01 00:00:00"}, "taken_at"),
        ({"taken": "yesterday"}, "taken_at"),
        ({"north": (95.0, 0.0, 0.0)}, "latitude"),
        ({"north": (0.0, 0.0, 0.0), "east": (0.0, 0.0, 0.0)}, "longitude"),
    ],
)
def test_what_a_camera_cannot_know_is_not_believed(
    examiner: Examiner, changes: dict[str, object], lost: str
) -> None:
    facts = read(examiner, written(scene(1, SIZE), "JPEG", tags(**changes))).facts
    assert getattr(facts, lost) is None
    assert facts.any


def test_no_exif_is_no_fact(examiner: Examiner) -> None:
    assert read(examiner, written(scene(1, SIZE), "JPEG")).facts == Facts()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "HEIF"])
def test_a_picture_is_turned_upright_for_everybody(
    examiner: Examiner, form: str, orientation: int
) -> None:
    upright = scene(2, (320, 200))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that undoes each
    lying = upright.transpose(Image.Transpose(back[orientation])) if orientation > 1 else upright
    found = read(examiner, written(lying, form, tags(orientation=orientation)))
    assert (found.width, found.height) == (320, 200)
    shown = np.asarray(bare(found.display), np.float32)
    assert shown.shape == (200, 320, 3)
    assert np.abs(shown - np.asarray(upright, np.float32)).mean() < 8


def test_the_pixels_are_the_same_after_the_metadata_were_taken_off(examiner: Examiner) -> None:
    content = written(scene(3, SIZE), "JPEG", tags(orientation=6))
    stripped = bytearray(content[:2])
    at = 2
    while content[at + 1] != 0xDA:  # segments before the scan: all but APP1 and comments
        size = 2 + int.from_bytes(content[at + 2 : at + 4])
        if content[at + 1] not in {0xE1, 0xFE}:
            stripped += content[at : at + size]
        at += size
    one, other = read(examiner, content), read(examiner, bytes(stripped) + content[at:])
    assert one.content != other.content
    assert one.pixels == other.pixels
    assert not other.facts.any


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_every_way_to_write_pixels_becomes_a_plain_picture(examiner: Examiner, mode: str) -> None:
    image = scene(4, (320, 240))
    if mode == "I;16":
        image = Image.fromarray((np.asarray(image.convert("L")).astype(np.uint16)) * 257)
    else:
        image = image.convert(mode)
    form = "JPEG" if mode == "CMYK" else "PNG"
    found = read(examiner, written(image, form))
    grey = np.asarray(bare(found.display).convert("L"), np.float32)
    assert np.abs(grey - np.asarray(scene(4, (320, 240)).convert("L"), np.float32)).mean() < 30


def test_what_is_transparent_becomes_white(examiner: Examiner) -> None:
    found = read(examiner, written(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"))
    assert found.measures.brightness > 250


def test_the_wide_colours_of_a_phone_are_turned_into_those_of_a_screen(examiner: Examiner) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    scene(5, (320, 240)).save(out, "JPEG", icc_profile=lab)
    shown = bare(read(examiner, out.getvalue()).display)
    assert np.abs(np.asarray(shown, np.int16) - np.asarray(scene(5, (320, 240)))).mean() < 8
    out = io.BytesIO()
    scene(5, (320, 240)).save(out, "JPEG", icc_profile=b"nonsense")
    assert read(examiner, out.getvalue()).width == 320


def test_a_picture_is_recognised_in_every_format_and_another_is_not(examiner: Examiner) -> None:
    same = [read(examiner, written(scene(6, SIZE), form)).likeness for form in FORMATS]
    other = read(examiner, written(scene(7, SIZE), "JPEG")).likeness
    assert all(same_picture(same[0], one) for one in same)
    assert not any(same_picture(other, one) for one in same)


def test_a_photo_of_twelve_megapixels_is_ready_within_two_seconds(examiner: Examiner) -> None:
    content = written(scene(8, (1008, 756)).resize((4032, 3024)), "JPEG")
    examiner.confinement()  # the process is running
    found: list[Examined] = []
    assert quickest(lambda: found.append(read(examiner, content)), 2.0) < 2.0
    assert max(bare(found[-1].display).size) == 1600
