"""Every form in which a fact was ever stored, and examples of the forms of today.

`python -m tests.goldens` adds to tests/golden/events.json the forms that are new. What stands there
already is never changed: it is what lies in the logs of those who run an earlier release.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import NamedTuple, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from casework.application import NAMES
from casework.diagram import STREAMS

FILE = Path(__file__).parent / "golden" / "events.json"

KINDS: Mapping[str, type[msgspec.Struct]] = {
    name: kind for stream in STREAMS for name, kind in stream.stored_as.items()
}
"""Stored name -> the class it is read as."""


class Form(NamedTuple):
    """A stored form: its name and bytes, and what it is written as today if that has changed."""

    name: str
    stored: str
    now: tuple[str, str]


# Examples --------------------------------------------------------------------------------

PLAIN: Mapping[object, object] = {
    int: 3,
    float: 1.5,
    bool: True,
    bytes: b"\x00\xff",
    datetime: datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC),
    date: date(2026, 3, 4),
    time: time(13, 30),
    UUID: UUID("00000000-0000-4000-8000-00000000000a"),
}


def example(kind: type[msgspec.Struct], *, full: bool) -> msgspec.Struct:
    """An event of that kind: with every field, or with only those that it cannot be without."""
    hints = get_type_hints(kind)
    fields = [field for field in msgspec.structs.fields(kind) if full or field.required]
    return kind(
        **{field.name: _other_than(field, hints[field.name], full=full) for field in fields}
    )


def _other_than(field: msgspec.structs.FieldInfo, hint: object, *, full: bool) -> object:
    """An example of the field; never its default, which would not be stored."""
    value = _value(hint, field.name, full=full)
    return not value if isinstance(value, bool) and value == field.default else value


def _value(hint: object, name: str, *, full: bool) -> object:
    """A value of the type; texts are the name of their field. Enums take their last member."""
    hint = getattr(hint, "__supertype__", hint)
    if hint is str:
        return name
    if hint in PLAIN:
        return PLAIN[hint]
    if get_origin(hint) in {Union, UnionType}:
        first = next(part for part in get_args(hint) if part is not NoneType)
        return _value(first, name, full=full)
    if get_origin(hint) is tuple:
        parts = [part for part in get_args(hint) if part is not Ellipsis]
        return tuple(_value(part, name, full=full) for part in parts)
    if get_origin(hint) is not None:
        key, value = get_args(hint)
        return {_value(key, name, full=full): _value(value, name, full=full)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    assert isinstance(hint, type) and issubclass(hint, msgspec.Struct), f"no example of {hint}"
    return example(hint, full=full)


def forms_of_today() -> Iterator[tuple[Form, msgspec.Struct]]:
    """The full and the bare form of every stored name, and the event that each stands for."""
    for name, kind in KINDS.items():
        for full in (True, False):
            event = example(kind, full=full)
            stored = NAMES.encode(event).decode()
            yield Form(name, stored, (name, stored)), event


# The file --------------------------------------------------------------------------------


def stored_forms() -> list[Form]:
    """The forms in the file, in its order."""
    if not FILE.exists():
        return []
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return [
        Form(name, form["stored"], tuple(form.get("now", (name, form["stored"]))))
        for name, forms in kept.items()
        for form in forms
    ]


def add_new_forms() -> int:
    """Add the forms of today that the file has not; how many. Nothing in it is changed."""
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    added = 0
    for form, _ in forms_of_today():
        forms = kept.setdefault(form.name, [])
        if form.stored not in {old["stored"] for old in forms}:
            forms.append({"stored": form.stored})
            added += 1
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return added


if __name__ == "__main__":
    print(f"{add_new_forms()} forms added to {FILE}")
