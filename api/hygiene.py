"""What may stand in a text or a number that comes from outside. Knows no field of any form.

Refused: lone surrogates (cannot be stored), NUL and other control characters, and the bidi
controls by which a text can be made to read otherwise than it is. Source: Unicode TR 36, 39.
"""

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN_CONTROLS = frozenset("\n\t")


def _clean(text: str) -> str:
    """The text with line ends made one kind, or an error that says what stands in it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for char in text:
        if char < " " or char >= "\x7f":
            if char in _BIDI:
                raise PydanticCustomError("text_bidi", "文字中含有改变显示方向的控制字符，请删除。")
            kind = unicodedata.category(char)
            if kind == "Cs" or (kind == "Cc" and char not in _PLAIN_CONTROLS):
                raise PydanticCustomError("text_control", "文字中含有无法保存的字符，请删除。")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise PydanticCustomError("text_line", "这里只能填写一行。")
    return text


def _not_bool(value: object) -> object:
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("number_type", "请填写数字。")
    return value


Line = Annotated[
    str, StringConstraints(strip_whitespace=True), AfterValidator(_clean), AfterValidator(_one_line)
]
"""A short text of one line."""

Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(_clean),
]
"""Words of a person: 1 to 2,000 characters."""

Remark = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=250), AfterValidator(_clean)
]
"""A few words about work, at most 250 characters; may be none."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}[0-9]{1,3}$")]
"""A coded reason or an indicator."""

StreetText = Annotated[str, StringConstraints(pattern=r"^110108[0-9]{3}$")]
"""街镇代码."""


def _written_out(value: object) -> object:
    """A time as text must be a date with a time of day, not a count of seconds."""
    if not isinstance(value, str) or not _TIME.match(value):
        raise PydanticCustomError("datetime_type", "应为日期时间，如 2026-11-22T08:00:00+08:00。")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_out)]
"""A time written out; whether its offset must be there is the route's to say."""

AwareMoment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A time written out with its offset."""


def _day_written_out(value: object) -> object:
    """A day as text, not a count of seconds; a date that is one already comes from a default."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date_type", "应为日期，如 2026-11-22。")


Day = Annotated[date, BeforeValidator(_day_written_out)]
"""A day in Shanghai, written out."""

Degrees = Annotated[float, Field(allow_inf_nan=False)]
"""A finite number of a query, where everything is text."""

Number = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]
"""A finite number, not a truth value and not a text."""
