"""A month of typical cases for the screens: an entry at every stage, one of them withdrawn."""

import io
from dataclasses import dataclass

from PIL import Image

from tests.api.client import Body, Town, Tracked
from tests.api.test_evidence_api import until
from tests.api.test_typical_cases_api import (
    caught_up,
    confirm_cover,
    cover,
    editor,
    nominated,
    published,
    second_editor,
    solved,
    step,
)
from tests.browser.desk import Site

MAY = "/typical-cases/2026-05"
DESK = "/desk/typical-cases/2026-05"


def pair(town: Town) -> tuple[Tracked, list[str], list[str]]:
    """A solved case whose reporter agrees, with a photo before and one after, both examined."""
    case = solved(town, photos=1, agreed=True)

    def ready() -> list[Body] | None:
        found: list[Body] = town.reviewer.get(f"/cases/{case.id}/photos").json()["photos"]
        done = len(found) == 2 and all(photo["state"] == "ready" for photo in found)
        return found if done else None

    photos = until(ready)
    after = [str(p["upload"]) for p in photos if p["came_with"] != "report-submitted"]
    before = [str(p["upload"]) for p in photos if p["came_with"] == "report-submitted"]
    return case, before, after


@dataclass(frozen=True)
class Covering:
    """An entry and a photo of it that nobody has covered yet."""

    case: Tracked
    entry: int
    photo: str

    @property
    def path(self) -> str:
        return f"{DESK}/{self.entry}/photos/{self.photo}"


def uncovered(town: Town) -> Covering:
    """An entry of its own, whose photos nobody has covered yet."""
    case, before, after = pair(town)
    return Covering(case, nominated(town, case, before=before, after=after), before[0])


_LAID_OUT: dict[str, dict[str, str]] = {}


def laid_out(site: Site) -> dict[str, str]:
    """What the paths of the screens name; laid out once a server, whoever asks first."""
    if site.address not in _LAID_OUT:
        _LAID_OUT[site.address] = _lay_out(site)
    return _LAID_OUT[site.address]


def _lay_out(site: Site) -> dict[str, str]:
    town = site.town
    case, before, after = pair(town)
    for upload in (*before, *after):
        confirm_cover(town, case, upload, cover(town, case, upload))
    caught_up(town)
    public = nominated(town, case, before=before, after=after)
    alt = {before[0]: "地铁口盲道上停满共享单车", after[0]: "盲道上空了，单车码放在线内"}
    draft: Body = {
        "entry": public,
        "title": "地铁口盲道当天恢复畅通",
        "caption": "市民反映地铁口单车占满盲道，街道当天调走单车，增设停放线，次日复查没有反弹。",
        "alt": alt,
    }
    step(editor(town), "redact", draft)
    step(second_editor(town), "approve", {"entry": public})
    step(editor(town), "publish")
    gone = published(town, solved(town))
    step(editor(town), "withdraw", {"entry": gone, "code": "W02", "words": "用时有误，待核实。"})
    published(town, solved(town), issue="/typical-cases/2026-04")
    waiting = uncovered(town)
    written, ready = nominated(town, solved(town)), nominated(town, solved(town))
    for entry in (written, ready):
        step(editor(town), "redact", {"entry": entry, "caption": "当天清走，通道恢复。"})
    step(second_editor(town), "approve", {"entry": ready})
    proposed, _, _ = pair(town)
    site.seen()
    return {
        "public": str(public),
        "gone": str(gone),
        "waiting": str(waiting.entry),
        "photo": waiting.photo,
        "written": str(written),
        "ready": str(ready),
        "proposed": proposed.number,
    }


def covered_picture(site: Site, covering: Covering) -> Image.Image:
    """The newest covered picture of a photo, as who prepares publication fetches it."""
    site.seen()
    who = editor(site.town)
    photos = who.get(f"/cases/{covering.case.id}/photos").json()["photos"]
    file = next(p["redacted"] for p in photos if p["upload"] == covering.photo)
    served = who.get(str(file["url"]).removeprefix("/api/v1"))
    assert served.headers["Content-Type"] == "image/jpeg"
    return Image.open(io.BytesIO(served.content))
