"""Templates to answers: escaped always, with the headers that keep a page to itself.

Knows no case. Everything a page needs comes from this machine: no script, style, font or picture
of anybody else is ever let in.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from casework.clocks import SHANGHAI

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}

_WEEKDAYS = "一二三四五六日"


def moment(at: datetime | None) -> str:
    """A moment as people in Haidian read it: 2026年11月25日（周三）10:10."""
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    day = f"{local.year}年{local.month}月{local.day}日"
    return f"{day}（周{_WEEKDAYS[local.weekday()]}）{local:%H:%M}"


_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["moment"] = moment


def page(template: str, status: int = 200, **values: object) -> Response:
    """The page of a template. Raises where a value that it names is missing."""
    text = _templates.get_template(template).render(**values)
    return HTMLResponse(text, status, headers=dict(HEADERS))
