"""Stored names, bytes and hashes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.instants import from_micros, to_micros
from casework.log.chain import GENESIS, Link, broken_link, event_hash
from casework.log.mapper import Names, Upcaster
from casework.log.port import UnknownEvent, stream_id
from casework.model import Actor, ActorKind, Role
from tests.log.samples import ANN, NAMES, NOON, Moved, Noted, Opened, a_mapper, to_moved_2

STREAM = UUID("00000000-0000-5000-8000-000000000001")
KEY = UUID("00000000-0000-5000-8000-000000000002")


def test_the_hash_of_an_event_is_the_one_published() -> None:
    """Worked out by hand from the description of the formula, apart from the code."""
    got = event_hash(GENESIS, STREAM, 1, "noted", b'{"kind":"staff","id":"ann"}', 7, KEY, b"{}")
    assert got.hex() == "9200107edc336caa3ad1373b67edf0bd17768a0b5495e98e02ddf8779b66d634"


def test_the_stored_bytes_of_today_stay_what_they_are() -> None:
    assert NAMES.encode(Opened("a", NOON, b"\x01")) == (
        b'{"text":"a","due_at":"2026-05-06T04:00:00.123456Z","photo":"AQ=="}'
    )
    assert a_mapper().encode_actor(ANN) == b'{"kind":"staff","id":"ann","roles":["reviewer"]}'


def test_stream_ids_are_made_of_names_and_never_move() -> None:
    assert stream_id("catalogue") == UUID("c0d51a1a-1c0a-5bd1-b8ae-0b4054a5d14a")
    assert stream_id("case/1") != stream_id("case/2")


@given(
    text=st.text(),
    due_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    photo=st.binary(max_size=64),
)
def test_every_event_reads_back_as_it_was(text: str, due_at: datetime | None, photo: bytes) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return  # half a letter has no UTF-8; the door turns it away
    event = Opened(text, due_at, photo)
    assert NAMES.decode("opened", NAMES.encode(event)) == event


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_keep_every_microsecond(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at
    assert to_micros(at + timedelta(microseconds=1)) == to_micros(at) + 1


def test_stored_events_are_read_leniently() -> None:
    assert NAMES.decode("noted", b'{"words":"a","weight":"3","gone":[1]}') == Noted("a", 3)


def test_what_cannot_be_read_is_kept_and_named() -> None:
    missing = NAMES.decode("noted", b'{"weight":1}')
    assert isinstance(missing, UnknownEvent)
    assert missing.raw == b'{"weight":1}' and "words" in missing.why
    broken = NAMES.decode("moved", b'{"nothing":1}')
    assert isinstance(broken, UnknownEvent) and broken.name == "moved"


def test_upcasters_lead_from_shape_to_shape() -> None:
    def to_moved_1(raw: dict[str, object]) -> dict[str, object]:
        return {"unit": raw["place"]}

    names = Names(
        [{"moved.2": Moved}],
        {"moved.0": Upcaster("moved", to_moved_1), "moved": Upcaster("moved.2", to_moved_2)},
    )
    assert names.decode("moved.0", b'{"place":"x"}') == Moved("x")
    assert names.known == {"moved.0", "moved", "moved.2"}


@pytest.mark.parametrize(
    ("tables", "upcasters", "why"),
    [
        ([{"a": Noted}, {"a": Moved}], {}, "stored twice"),
        ([{"a": Noted}, {"b": Noted}], {}, "stored twice"),
        ([{"a": Noted}], {"b": Upcaster("c", to_moved_2)}, "no known name"),
        ([{"a": Noted}], {"a": Upcaster("a", to_moved_2)}, "still written"),
        (
            [{"a": Noted}],
            {"b": Upcaster("c", to_moved_2), "c": Upcaster("b", to_moved_2)},
            "circle",
        ),
    ],
)
def test_a_muddle_of_names_is_refused_at_start(
    tables: list[dict[str, type[msgspec.Struct]]], upcasters: dict[str, Upcaster], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Names(tables, upcasters)


def test_an_event_without_a_stored_name_cannot_be_written() -> None:
    with pytest.raises(LookupError, match="Stray"):
        NAMES.name_of(Stray())


class Stray(msgspec.Struct, frozen=True):
    pass


def test_a_role_of_a_later_release_does_not_hide_who_did_it() -> None:
    stored = b'{"kind":"staff","id":"ann","roles":["reviewer","archivist"]}'
    assert a_mapper().decode_actor(stored) == Actor(ActorKind.STAFF, "ann", roles=(Role.REVIEWER,))


def a_chain(length: int) -> list[Link]:
    links: list[Link] = []
    previous = GENESIS
    for version in range(1, length + 1):
        made = (version, "noted", b"{}", version * 10, KEY, b'{"words":"%d"}' % version)
        previous = event_hash(
            previous, STREAM, made[0], made[1], made[2], made[3], made[4], made[5]
        )
        links.append(Link(*made, previous))
    return links


@given(
    length=st.integers(1, 6),
    at=st.integers(0, 5),
    change=st.sampled_from(["name", "actor", "at", "command_id", "state", "hash", "version"]),
)
def test_whatever_is_changed_in_a_stored_event_shows(length: int, at: int, change: str) -> None:
    links = a_chain(length)
    assert broken_link(STREAM, links) is None
    assert broken_link(KEY, links) == 1
    at %= length
    other: dict[str, object] = {
        "name": "opened", "actor": b"{ }", "at": 1, "command_id": STREAM,
        "state": b"{}", "hash": bytes(32), "version": 99,
    }  # fmt: skip
    changed = links[at]._replace(**{change: other[change]})  # type: ignore[arg-type] # by name
    assert broken_link(STREAM, [*links[:at], changed, *links[at + 1 :]]) == at + 1


@given(length=st.integers(2, 6), at=st.integers(0, 4))
def test_a_missing_event_shows_unless_it_is_the_last(length: int, at: int) -> None:
    links = a_chain(length)
    at %= length - 1
    assert broken_link(STREAM, [*links[:at], *links[at + 1 :]]) == at + 1
    assert broken_link(STREAM, links[:-1]) is None  # a cut end shows only against a checkpoint
