"""Typical cases as Atom (RFC 4287) and JSON Feed 1.1, of the district, a 街镇 or an indicator.

An entry keeps its id for ever. What is withdrawn or corrected comes again under that id with a
newer `updated`, so that a reader that has kept it replaces it.
"""

from collections.abc import Sequence
from datetime import datetime
from heapq import nlargest
from html import escape
from typing import Annotated, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

import msgspec
from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from starlette.responses import Response

from api.access import Visitor
from api.conditional import conditional
from api.geojson import Json
from api.parts import Parts
from api.routes.cases import look, seen_up_to
from api.routes.typical_cases import About, AskedAbout
from api.shown import indicator_name, street_name
from api.typical_schemas import PictureOut, TypicalOut
from api.typical_shown import entry_id, public_entry
from api.visitors import With, guard, keep_rate
from casework.clocks import SHANGHAI
from casework.instants import EPOCH
from projections import typical_cases as view
from projections.typical_cases import Standing

router = APIRouter(prefix="/feeds", tags=["订阅源"])

ATOM_TYPE, JSON_TYPE = "application/atom+xml", "application/feed+json"
_ATOM = "http://www.w3.org/2005/Atom"
_IDS = UUID("0f4f1a0e-6b5f-5f0d-9a4e-7a3f2c1d8e55")
"""The space of the feeds' ids: the same entry has the same id wherever it is served."""

MOST = 100
"""Entries of a feed, those that changed last: some five months."""

AUTHOR = "海淀区城市管理随手拍"

_CONTENT: dict[int | str, dict[str, object]] = {304: {"description": "没有变化"}}


class Item(NamedTuple):
    """An entry of a month, with the 街镇 and the indicator under which it is filed."""

    month: str
    entry: TypicalOut

    @property
    def id(self) -> str:
        return uuid5(_IDS, f"{self.month}/{self.entry.entry}").urn


class Source(NamedTuple):
    """A feed before it is written."""

    title: str
    query: str
    base: str
    items: Sequence[Item]

    @property
    def id(self) -> str:
        return uuid5(_IDS, f"feed?{self.query}").urn

    @property
    def changed_at(self) -> datetime | None:
        return max((item.entry.updated_at for item in self.items), default=None)

    def address(self, form: str) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.base}/feeds/typical-cases.{form}{query}"

    def page(self, item: Item) -> str:
        """Where the entry is read by people; withdrawn, it says there so."""
        return f"{self.base}/typical-cases/{item.month}/{item.entry.entry}"

    @property
    def home(self) -> str:
        """Where people read all months."""
        return f"{self.base}/typical-cases"


async def _source(request: HttpRequest, parts: Parts, visitor: Visitor, asked: About) -> Source:
    """What both forms of a feed are made of."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    street, indicator, after = asked
    await seen_up_to(parts, after)
    about = [("street", street), ("indicator", indicator)]
    query = urlencode([(name, value) for name, value in about if value is not None])
    title = "海淀随手拍·典型案例" + _about(parts, street, indicator)
    months = await look(parts, view.published)
    filed = (
        (month.month, standing)
        for month in months
        for standing in month.public
        if standing.is_of(street, indicator)
    )
    newest = nlargest(MOST, filed, key=_changed)  # only these are put into words
    items = [Item(month, public_entry(parts, month, standing)) for month, standing in newest]
    base = parts.settings.public_url or str(request.base_url)
    return Source(title, query, base.rstrip("/"), items)


def _changed(filed: tuple[str, Standing]) -> tuple[datetime, str]:
    """What a feed is in order of, the last first."""
    month, standing = filed
    assert standing.changed_at is not None, "it was public once"
    return standing.changed_at, entry_id(month, standing.entry.number)


def _about(parts: Parts, street: str | None, indicator: str | None) -> str:
    names = []
    if street is not None:
        names.append(street_name(parts, street) or street)
    if indicator is not None:
        names.append(indicator_name(parts, indicator) or indicator)
    return f"·{'·'.join(names)}" if names else ""


@router.get(
    "/typical-cases.atom",
    name="feeds.atom",
    summary="典型案例订阅源 (Atom)",
    response_class=Response,
    responses={200: {"content": {ATOM_TYPE: {}}}, **_CONTENT},
)
async def atom_feed(
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("feeds.atom"))],
    asked: AskedAbout,
) -> Response:
    """Of the whole district, or of one 街镇, one indicator, or both."""
    found = await _source(request, parts, visitor, asked)
    return conditional(request, atom(found), ATOM_TYPE, found.changed_at, parts.now())


@router.get(
    "/typical-cases.json",
    name="feeds.json",
    summary="典型案例订阅源 (JSON Feed)",
    response_class=Response,
    responses={200: {"content": {JSON_TYPE: {"schema": {"type": "object"}}}}, **_CONTENT},
)
async def json_feed(
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("feeds.json"))],
    asked: AskedAbout,
) -> Response:
    """As above."""
    found = await _source(request, parts, visitor, asked)
    content = msgspec.json.encode(as_json_feed(found))
    return conditional(request, content, JSON_TYPE, found.changed_at, parts.now())


# what an entry says ----------------------------------------------------------------------


def _figures(entry: TypicalOut) -> str:
    return (
        f"{entry.outcome_name}，用时{entry.taken}；"
        f"{entry.raters}人评价，满意度{entry.satisfaction:g}分，处置效率{entry.efficiency:g}分。"
    )


def _text(entry: TypicalOut) -> str:
    """The entry in plain words."""
    if entry.state != "shown":
        return entry.says or ""
    words = [entry.caption or "", _figures(entry)]
    words += [entry.says] if entry.says else []
    return "\n".join(words)


def _html(base: str, entry: TypicalOut) -> str:
    """The same, with pictures. Every text is escaped."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in _text(entry).splitlines() if line)
    return paragraphs + "".join(
        f'<p><img src="{escape(base + each.url)}" alt="{escape(each.alt)}"></p>'
        for each in _pictures(entry)
    )


def _pictures(entry: TypicalOut) -> tuple[PictureOut, ...]:
    return (*entry.before, *entry.after)


def _time(at: datetime) -> str:
    """RFC 3339, to the second, as in Haidian."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


# the two forms ---------------------------------------------------------------------------


def atom(found: Source) -> bytes:
    """The feed as Atom."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed", {"xml:lang": "zh-CN"})
    _add(feed, "id", found.id)
    _add(feed, "title", found.title)
    _add(feed, "updated", _time(found.changed_at or EPOCH))
    _add(_add(feed, "author"), "name", AUTHOR)
    _add(feed, "link", rel="self", type=ATOM_TYPE, href=found.address("atom"))
    _add(feed, "link", rel="alternate", type="text/html", href=found.home)
    _add(feed, "link", rel="alternate", type=JSON_TYPE, href=found.address("json"))
    for item in found.items:
        entry = _add(feed, "entry")
        _add(entry, "id", item.id)
        _add(entry, "title", item.entry.title)
        _add(entry, "published", _time(item.entry.published_at))
        _add(entry, "updated", _time(item.entry.updated_at))
        _add(entry, "link", rel="alternate", type="text/html", href=found.page(item))
        for scheme, term, label in _categories(item.entry):
            _add(entry, "category", scheme=f"urn:haidian:{scheme}", term=term, label=label)
        _add(entry, "summary", _text(item.entry))
        _add(entry, "content", _html(found.base, item.entry), type="html")
    made: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return made


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    made.text = text
    return made


def _categories(entry: TypicalOut) -> list[tuple[str, str, str]]:
    found = []
    if entry.street is not None:
        found.append(("street", entry.street, entry.street_name or entry.street))
    if entry.indicator is not None:
        found.append(("indicator", entry.indicator, entry.indicator_name or entry.indicator))
    return found


def as_json_feed(found: Source) -> Json:
    """The feed as JSON Feed 1.1 (jsonfeed.org)."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": found.title,
        "home_page_url": found.home,
        "feed_url": found.address("json"),
        "language": "zh-CN",
        "authors": [{"name": AUTHOR}],
        "items": [_json_item(found, item) for item in found.items],
    }


def _json_item(found: Source, item: Item) -> Json:
    entry = item.entry
    pictures = _pictures(entry)
    made: Json = {
        "id": item.id,
        "url": found.page(item),
        "title": entry.title,
        "content_text": _text(entry),
        "content_html": _html(found.base, entry),
        "date_published": _time(entry.published_at),
        "date_modified": _time(entry.updated_at),
        "tags": [label for _, _, label in _categories(entry)],
    }
    if pictures:
        made["image"] = found.base + pictures[-1].url
    return made
