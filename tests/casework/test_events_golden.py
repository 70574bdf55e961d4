"""What was ever stored is read for ever, and written the same as long as its name stands."""

import json

import msgspec
import pytest

from casework import events as did
from casework.application import NAMES
from casework.log.mapper import Names
from casework.log.port import UnknownEvent
from tests.goldens import KINDS, Form, example, forms_of_today, stored_forms

STORED = stored_forms()
TODAY = list(forms_of_today())


def test_every_stored_name_of_the_engine_has_a_golden() -> None:
    assert set(KINDS) | {form.name for form in STORED} == NAMES.known
    assert {form.name for form in STORED} == NAMES.known


@pytest.mark.parametrize("form", STORED, ids=[form.name for form in STORED])
def test_a_stored_form_is_read_and_written_the_same(form: Form) -> None:
    event = NAMES.decode(form.name, form.stored.encode())
    assert not isinstance(event, UnknownEvent), event
    assert (NAMES.name_of(event), NAMES.encode(event).decode()) == form.now


@pytest.mark.parametrize(("form", "event"), TODAY, ids=[form.name for form, _ in TODAY])
def test_a_form_of_today_is_kept_and_reads_as_the_event_it_stands_for(
    form: Form, event: msgspec.Struct
) -> None:
    kept = {old.stored for old in STORED if old.name == form.name}
    assert form.stored in kept, "a new form: add it with `python -m tests.goldens`"
    assert NAMES.decode(form.name, form.stored.encode()) == event
    strict = msgspec.json.Decoder(KINDS[form.name], strict=True)
    assert strict.decode(form.stored) == event


@pytest.mark.parametrize("name", KINDS)
def test_the_full_form_holds_every_field_and_the_bare_one_only_what_it_must(name: str) -> None:
    fields = msgspec.structs.fields(KINDS[name])
    full = json.loads(NAMES.encode(example(KINDS[name], full=True)))
    assert set(full) - {"type"} == {field.encode_name for field in fields}
    bare = json.loads(NAMES.encode(example(KINDS[name], full=False)))
    required = {field.encode_name for field in fields if field.required}
    assert required <= set(bare)


def without(kind: type[msgspec.Struct], gone: str, renamed: str | None) -> type[msgspec.Struct]:
    """The kind as a careless hand would leave it: a field gone, or under another name."""
    fields = msgspec.structs.fields(kind)
    left = [(f.name, f.type, f.default) for f in fields if f.name != gone and not f.required]
    must = [(f.name, f.type) for f in fields if f.name != gone and f.required]
    new = [(renamed, object, None)] if renamed else []
    return msgspec.defstruct(
        kind.__name__, [*must, *left, *new], kw_only=True, frozen=True, omit_defaults=True
    )


@pytest.mark.parametrize("name", did.STORED_AS)
@pytest.mark.parametrize("renamed", [None, "renamed"])
def test_removing_or_renaming_a_field_does_not_pass(name: str, renamed: str | None) -> None:
    form, _ = next(told for told in TODAY if told[0].name == name)
    for field in msgspec.structs.fields(KINDS[name]):
        careless = Names([{name: without(KINDS[name], field.name, renamed)}])
        event = careless.decode(name, form.stored.encode())
        assert not isinstance(event, UnknownEvent)
        assert careless.encode(event).decode() != form.stored, field.name


def test_a_golden_that_reads_as_nothing_does_not_pass() -> None:
    assert isinstance(NAMES.decode("case-closed", b'{"reply":1}'), UnknownEvent)
    assert isinstance(NAMES.decode("case-forgotten", b"{}"), UnknownEvent)
