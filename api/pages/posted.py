"""What a browser has posted: names with their values, and files. Knows no form of the API.

A form's fields are named as the API names them, with dots where it has objects: `place.lon`. So
one form of the API reads both. An empty field is a field left out.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import TypeGuard

import msgspec
from fastapi import Request as HttpRequest
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from api.access import Visitor
from api.pages.visitors import own_form, own_session
from api.parts import Parts

MAX_FIELDS = 400
MAX_FILES = 12

_YES = frozenset({"on", "true", "1", "yes"})


class Posted(msgspec.Struct, frozen=True):
    """The values by name, in the order posted, and the files that were picked."""

    values: Mapping[str, tuple[str, ...]]
    files: Mapping[str, tuple[UploadFile, ...]]

    def one(self, name: str, default: str = "") -> str:
        """The value of a field that is there once."""
        return next(iter(self.values.get(name, ())), default).strip()

    def every(self, name: str) -> tuple[str, ...]:
        """The values of a field that may be there several times; empty ones left out."""
        return tuple(value for value in self.values.get(name, ()) if value.strip())

    @property
    def key(self) -> str:
        """Under which the server knows this form again, however often it is sent."""
        return self.one("key")

    @property
    def version(self) -> int | None:
        """The version of the case that the page showed."""
        text = self.one("version")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def read(request: HttpRequest) -> Posted:
    """Read a form. The very bytes stay readable, but for one that carries files."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        await request.body()
    form = await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS)
    values: dict[str, list[str]] = {}
    files: dict[str, list[UploadFile]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            values.setdefault(name, []).append(value)
        elif value.filename:  # a file field nobody picked a file for has no name
            files.setdefault(name, []).append(value)
    return Posted(
        {name: tuple(found) for name, found in values.items()},
        {name: tuple(found) for name, found in files.items()},
    )


async def own(request: HttpRequest, parts: Parts, visitor: Visitor) -> Posted:
    """Read a form that our own page has sent, for this very session.

    Raises ProblemError: 400 for another site's form, or one of an earlier session.
    """
    own_form(request)
    form = await read(request)
    if visitor.principal.session_id is not None:
        own_session(parts, visitor, form.one("token"))
    return form


# to the shape of a form of the API --------------------------------------------------------

_Schema = Mapping[str, object]


def _is_schema(found: object) -> TypeGuard[_Schema]:
    return isinstance(found, Mapping)


@cache
def _schema(form: type[BaseModel]) -> _Schema:
    return form.model_json_schema(by_alias=True)


def shaped(form: type[BaseModel], posted: Posted) -> dict[str, object]:
    """The posted values as the JSON that this form of the API reads.

    Texts become numbers and truth values where the form wants them; what cannot be read stays as
    it was typed, for the form to say what is wrong. Values the form does not name are left out.
    """
    schema = _schema(form)
    found = _object(schema, schema, posted, "")
    return found if isinstance(found, dict) else {}


def _object(schema: _Schema, root: _Schema, posted: Posted, prefix: str) -> object:
    properties = schema.get("properties")
    made: dict[str, object] = {}
    if not _is_schema(properties):
        return made
    for name, wanted in properties.items():
        assert _is_schema(wanted)
        value = _value(_resolved(wanted, root), root, posted, f"{prefix}{name}")
        if value is not None:
            made[name] = value
    return made


def _value(schema: _Schema, root: _Schema, posted: Posted, name: str) -> object:
    kind = schema.get("type")
    if "properties" in schema:
        return _object(schema, root, posted, f"{name}.") or None
    if kind == "object":
        return _named(posted, f"{name}.") or None
    given = posted.every(name)
    if kind == "array":
        items = schema.get("items")
        item = _resolved(items, root) if _is_schema(items) else {}
        if "properties" in item:
            rows = _rows(item, root, posted, f"{name}.")
            return rows or [_cited(value) for value in given] or None
        return [_plain(item, value) for value in given] or None
    if kind == "boolean" and name in posted.values:
        # An unticked box posts nothing; where yes is the default, a hidden field says no first.
        return posted.values[name][-1].strip().lower() in _YES
    return _plain(schema, given[0]) if given else None


def _named(posted: Posted, prefix: str) -> dict[str, object]:
    """What was posted under names of the form's own choosing, such as `parties.compound`."""
    named = (name for name in posted.values if name.startswith(prefix))
    return {name.removeprefix(prefix): text for name in named if (text := posted.one(name))}


def _rows(item: _Schema, root: _Schema, posted: Posted, prefix: str) -> list[object]:
    """The rows of a table of fields, `rows.0.name`; a row nothing was typed into is left out."""
    numbers = {name.removeprefix(prefix).partition(".")[0] for name in _typed(posted, prefix)}
    order = sorted(int(number) for number in numbers if number.isascii() and number.isdigit())
    return [_object(item, root, posted, f"{prefix}{number}.") for number in order]


def _typed(posted: Posted, prefix: str) -> list[str]:
    """The fields below a prefix that somebody filled in: a unit alone was only not changed."""
    return [
        name
        for name in posted.values
        if name.startswith(prefix) and not name.endswith(".unit") and posted.every(name)
    ]


def _cited(text: str) -> dict[str, str]:
    """An uploaded file as a hidden field names it: its id, and how it was taken."""
    upload, _, source = text.partition(" ")
    return {"upload": upload, "source": source or "unknown"}


def _plain(schema: _Schema, text: str) -> object:
    kind, text = schema.get("type"), text.strip()
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    return text


def _resolved(schema: _Schema, root: _Schema) -> _Schema:
    """The schema itself: through its reference, and past the `null` of what may be left out."""
    options = schema.get("anyOf")
    if isinstance(options, list):
        schema = next((o for o in options if _is_schema(o) and o.get("type") != "null"), schema)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        definitions = root.get("$defs")
        assert _is_schema(definitions)
        found = definitions[reference.rpartition("/")[2]]
        assert _is_schema(found)
        return found
    return schema


def day_of(text: str) -> date | None:
    """A day as a date field posts it, or None where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
