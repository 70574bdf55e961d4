"""Templates to answers: escaped always, with the headers that keep a page to itself.

Knows no case. Everything a page needs comes from this machine: no script, style, font or picture
of anybody else is ever let in, but for the tiles of a base map where one is set.
"""

import gzip
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from casework.clocks import SHANGHAI

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' blob: data:{tiles}; media-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(self)",
    "Cache-Control": "private, no-cache",
}
"""`blob:` and `data:` are a photo's preview before it is sent, made on the phone itself."""

_WEEKDAYS = "一二三四五六日"
_PACKED = frozenset({".css", ".js", ".svg"})


def moment(at: datetime | None) -> str:
    """A moment as people in Haidian read it: 2026年11月25日（周三）10:10."""
    if at is None:
        return ""
    return f"{day(at)} {at.astimezone(SHANGHAI):%H:%M}"


def day(at: datetime | None) -> str:
    """A day as people in Haidian read it: 2026年11月25日（周三）."""
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    weekday = _WEEKDAYS[local.weekday()]
    return f"{local.year}年{local.month}月{local.day}日（周{weekday}）"


def short(at: datetime | None) -> str:
    """A moment in a list: 11月25日 10:10."""
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def of_case(url: str, number: str) -> str:
    """Where a page fetches a file of a case that the API serves at `url`."""
    return f"/cases/{number}{url.removeprefix('/api/v1')}"


class Asset:
    """A file of our own as it is served: plain and packed, under a name that tells its content."""

    def __init__(self, path: Path) -> None:
        self.plain = path.read_bytes()
        self.packed = gzip.compress(self.plain, 9, mtime=0) if path.suffix in _PACKED else None
        self.digest = blake2b(self.plain, digest_size=6).hexdigest()


@cache
def asset(name: str) -> Asset:
    """The file of this name below `static/`, read once. Raises FileNotFoundError.

    `name` has been looked at: a file name, or `vendor/` and a file name.
    """
    return Asset(STATIC / name)


def address(name: str) -> str:
    """Where a file of our own is fetched; another content has another address."""
    return f"/static/{name}?v={asset(name).digest}"


def there(name: str) -> bool:
    """Whether a file is there: the pages work without those that are put in by the set-up."""
    return (STATIC / name).is_file()


templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters["moment"] = moment
templates.filters["day"] = day
templates.filters["short"] = short
templates.filters["of_case"] = of_case
templates.globals["address"] = address
templates.globals["there"] = there


def page(
    template: str, values: Mapping[str, object], status: int = 200, tiles: str = ""
) -> Response:
    """The page of a template. Raises where a value that it names is missing.

    `tiles` is the origin of the base map's pictures, if there is one.
    """
    text = templates.get_template(template).render(values)
    headers = dict(HEADERS)
    headers["Content-Security-Policy"] = headers["Content-Security-Policy"].replace(
        "{tiles}", f" {tiles}" if tiles else ""
    )
    return HTMLResponse(text, status, headers=headers)
