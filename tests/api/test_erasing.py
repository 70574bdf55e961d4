"""An erasure survives a death between any two of its steps, before or after each of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeVar, cast
from uuid import UUID, uuid4

import pytest

from api.accounts.passwords import Passwords
from api.accounts.people import add_account
from api.erasing import VIEWS, Erasing
from api.parts import Parts
from api.preparing import prepare
from api.wiring import build
from casework.erasure import ErasureState
from casework.errors import ConflictOfInterest, Erased, NothingPending
from casework.events import PersonErased
from casework.keys import Owner, OwnerKind, person_key
from casework.log.port import stream_id
from evidence.signatures import Kind
from tests.api.client import picture, settings_for

NOON = datetime(2026, 5, 11, 4, 0, tzinfo=UTC)
STEPS = (
    "destroy_keys",
    "record_fact",
    "appended",
    "erase_person",
    "delete",
    "remove",
    "purge",
    "forget",
    "acknowledge",
)
"""What changes something durable, or must not be left out."""

T = TypeVar("T")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """The engine's parts over real files; no server, and the views read when a test says so."""
    settings = settings_for(tmp_path_factory.mktemp("erasing") / "var")
    prepare(settings)
    built = build(settings, lambda: NOON)
    yield built
    built.work.shutdown()
    built.casework.close()
    built.keys.close()
    built.desk.close()


class Killed(BaseException):
    """The process died here: nothing after it ran, nothing caught it."""


class Fate:
    """Lets so many steps happen; dies just before the next one, or just after it."""

    def __init__(self, steps: int, *, after: bool) -> None:
        self.left = steps
        self.after = after


class Mortal:
    """A part whose steps may be the last thing the process does."""

    def __init__(self, part: object, fate: Fate) -> None:
        self._part = part
        self._fate = fate

    def __getattr__(self, name: str) -> object:
        found = getattr(self._part, name)
        if name not in STEPS:
            return found

        def step(*args: object, **named: object) -> object:
            self._fate.left -= 1
            if self._fate.left < 0 and not self._fate.after:
                raise Killed
            answer: object = found(*args, **named)
            if self._fate.left < 0:
                raise Killed
            return answer

        return step


def mortal(part: T, fate: Fate) -> T:
    return cast("T", Mortal(part, fate))  # it has all that the part has


def erasing_over(parts: Parts, fate: Fate) -> Erasing:
    return Erasing(
        ledger=mortal(parts.ledger, fate),
        keys=mortal(parts.keys, fate),
        casework=mortal(parts.casework, fate),
        people=mortal(parts.people, fate),
        uploads=mortal(parts.uploads, fate),
        blobs=mortal(parts.blobs, fate),
        now=lambda: NOON,
    )


def somebody(parts: Parts) -> UUID:
    """A citizen with an account, a key and two files."""
    person, account = uuid4(), uuid4()
    cheap = Passwords(parts.passwords.profile, memory_kib=64)
    stored = cheap.hash("Liu-Lang-Tai-Bei-9")
    cheap.close()
    with parts.desk.write() as connection:
        add_account(
            connection, account, f"citizen-{person}", "市民", stored, person_id=person, now=NOON
        )
    key = person_key(str(person))
    parts.keys.ensure_now(key, Owner(OwnerKind.PERSON, str(person)))
    for seed in (1, 2):
        blob = parts.blobs.put([picture(seed)], parts.sealer.wrapper(key), Kind.PICTURE)
        parts.uploads.add(uuid4(), f"citizen:{person}", blob, NOON)
    return person


def nothing_is_left_of(parts: Parts, person: UUID) -> None:
    key = person_key(str(person))
    assert parts.keys.get(key) is None
    with pytest.raises(Erased):
        parts.keys.ensure_now(key, Owner(OwnerKind.PERSON, str(person)))
    assert not parts.people.knows_person(person)
    assert parts.uploads.under_key(key) == []
    events = parts.casework.eventlog.history(stream_id(f"person/{person}"))
    assert [recorded.event for recorded in events] == [PersonErased(person=person)]


def read_to_the_head(parts: Parts) -> None:
    while parts.feed.round():
        pass


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_at_any_step_is_carried_on_at_the_next_start(parts: Parts, after: bool) -> None:
    deaths = 0
    while True:
        person, erasure_id, fate = somebody(parts), uuid4(), Fate(deaths, after=after)
        files = {upload.blob.sha256 for upload in parts.uploads.under_key(person_key(str(person)))}
        assert len(files) == 2
        try:
            erasing_over(parts, fate).by_oneself(erasure_id, person)
        except Killed:
            deaths += 1
        else:
            break
        finally:
            # The next start: parts that live, and views that read on.
            parts.erasing.resume()
            read_to_the_head(parts)
        known = parts.ledger.get(erasure_id)
        assert (known.state, known.waiting_for) == (ErasureState.COMPLETE, ()), deaths
        nothing_is_left_of(parts, person)
        assert files.isdisjoint(parts.blobs.names())
    # Every step was a place to die at: three acknowledgements and two files among them.
    assert deaths == len(STEPS) + 2 + 2
    assert parts.ledger.unfinished() == []


def test_without_the_next_start_an_erasure_stays_where_it_died(parts: Parts) -> None:
    """The negative control: it is `resume` that makes the test above pass."""
    person, erasure_id = somebody(parts), uuid4()
    with pytest.raises(Killed):
        erasing_over(parts, Fate(1, after=False)).by_oneself(erasure_id, person)
    read_to_the_head(parts)
    assert parts.ledger.get(erasure_id).state is ErasureState.KEYS_DESTROYED
    assert parts.people.knows_person(person)
    parts.erasing.resume()
    read_to_the_head(parts)
    nothing_is_left_of(parts, person)


def test_the_views_may_be_quicker_than_the_one_who_appends(parts: Parts) -> None:
    person, erasure_id = somebody(parts), uuid4()
    with pytest.raises(Killed):  # the event is in the log, the ledger does not know it yet
        erasing_over(parts, Fate(1, after=True)).by_oneself(erasure_id, person)
    read_to_the_head(parts)
    assert parts.ledger.get(erasure_id).state is ErasureState.COMPLETE
    nothing_is_left_of(parts, person)


def test_after_a_restore_the_ledger_is_done_again_though_the_views_read_on_long_ago(
    parts: Parts,
) -> None:
    person, erasure_id = somebody(parts), uuid4()
    parts.erasing.by_oneself(erasure_id, person)
    read_to_the_head(parts)
    kept = [one for one in parts.ledger.all() if one.id == erasure_id]
    parts.ledger.replay(kept)
    assert parts.ledger.get(erasure_id).state is ErasureState.APPROVED
    (reached,) = parts.erasing.resume()
    assert reached.state is ErasureState.COMPLETE
    nothing_is_left_of(parts, person)


def test_the_views_of_an_earlier_erasure_do_not_answer_for_a_later_one(parts: Parts) -> None:
    person = somebody(parts)
    first = parts.erasing.by_oneself(uuid4(), person)
    assert first.position is not None
    read_to_the_head(parts)
    second = parts.erasing.by_oneself(uuid4(), person)
    parts.erasing.views_forgot(person, first.position)
    assert parts.ledger.get(second.id).waiting_for == (VIEWS,)
    read_to_the_head(parts)
    assert parts.ledger.get(second.id).state is ErasureState.COMPLETE


def test_nobody_agrees_to_what_they_asked_for_and_nothing_goes_before(parts: Parts) -> None:
    person, erasure_id, one, other = somebody(parts), uuid4(), str(uuid4()), str(uuid4())
    parts.ledger.ask(erasure_id, str(person), one, NOON)
    with pytest.raises(ConflictOfInterest):
        parts.erasing.approve(erasure_id, one)
    assert parts.erasing.resume() == []
    assert parts.people.knows_person(person)
    reached = parts.erasing.approve(erasure_id, other)
    assert reached.waiting_for == (VIEWS,)
    assert parts.erasing.approve(erasure_id, other) == reached
    with pytest.raises(NothingPending):
        parts.erasing.approve(erasure_id, str(uuid4()))
    read_to_the_head(parts)
    nothing_is_left_of(parts, person)
