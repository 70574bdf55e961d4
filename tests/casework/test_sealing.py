import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from casework.erasure import Erasure, ErasureLedger, ErasureState
from casework.errors import ConflictOfInterest, Erased, NothingPending
from casework.key_file import (
    KeysNotPrepared,
    MasterKeyRefused,
    create_master_key,
    prepare,
    read_master_key,
    wrap,
)
from casework.key_writer import KeysBusy, KeysNotWritten, KeyWriter
from casework.keys import (
    KeyStore,
    Owner,
    OwnerKind,
    UnknownKey,
    WrongOwner,
    person_key,
    staff_text_key,
)
from casework.model import Sealed
from casework.sealing import Boxed, NotAsSealed, Sealer

T0 = datetime(2025, 6, 3, 1, 0, tzinfo=UTC)
CASE = UUID("00000000-0000-0000-0000-0000000000c1")
OTHER_CASE = UUID("00000000-0000-0000-0000-0000000000c2")
COMMAND = UUID("00000000-0000-0000-0000-0000000000d1")
ERASURE = UUID("00000000-0000-0000-0000-0000000000e1")
LI = Owner(OwnerKind.PERSON, "li")
WANG = Owner(OwnerKind.PERSON, "wang")
LIS_KEY = person_key("li")
TEXT = "北门垃圾桶满冒, 电话 13812345678"


def at_t0() -> datetime:
    return T0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_master_key(tmp_path / "master.key")
    prepare(tmp_path / "keys.db", read_master_key(tmp_path / "master.key"))
    return tmp_path


def opened(folder: Path, cached: int = 1000) -> KeyStore:
    master = read_master_key(folder / "master.key")
    return KeyStore(folder / "keys.db", master, at_t0, cached=cached)


@pytest.fixture
def keys(folder: Path) -> Iterator[KeyStore]:
    store = opened(folder)
    yield store
    store.close()


def sealed_words(keys: KeyStore) -> Sealed:
    keys.ensure_now(LIS_KEY, LI)
    return Sealer(keys).seal(LIS_KEY, CASE, "text", COMMAND, TEXT)


def wrapped_key(folder: Path, key_id: UUID) -> bytes | None:
    db = sqlite3.connect(folder / "keys.db")
    try:
        row = db.execute("SELECT wrapped FROM key WHERE key_id = ?", (key_id.bytes,)).fetchone()
    finally:
        db.close()
    return None if row is None else row[0]


def bytes_of_store(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("keys.db*")))


# Sealing and opening ------------------------------------------------------------------------


def test_what_was_sealed_opens_to_the_same_words(keys: KeyStore) -> None:
    sealed = sealed_words(keys)
    assert Sealer(keys).open(sealed, CASE, "text", COMMAND) == TEXT
    assert TEXT.encode() not in sealed.box


def test_the_same_words_sealed_twice_look_different(keys: KeyStore) -> None:
    assert sealed_words(keys).box != sealed_words(keys).box


def test_a_box_moved_to_another_case_field_or_command_does_not_open(keys: KeyStore) -> None:
    sealed, sealer = sealed_words(keys), Sealer(keys)
    for case, field, command in [
        (OTHER_CASE, "text", COMMAND),
        (CASE, "contact", COMMAND),
        (CASE, "text", CASE),
        (COMMAND, "text", CASE),
    ]:
        with pytest.raises(NotAsSealed):
            sealer.open(sealed, case, field, command)


def test_a_box_put_under_another_persons_key_does_not_open(keys: KeyStore) -> None:
    sealed = sealed_words(keys)
    keys.ensure_now(person_key("wang"), WANG)
    moved = Sealed(person_key("wang"), sealed.nonce, sealed.box)
    with pytest.raises(NotAsSealed):
        Sealer(keys).open(moved, CASE, "text", COMMAND)


@given(flip=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_box_with_any_bit_flipped_does_not_open(
    tmp_path_factory: pytest.TempPathFactory, flip: int, bit: int
) -> None:
    store, sealed = a_store_and_a_box(tmp_path_factory)
    box = bytearray(sealed.box)
    box[flip % len(box)] ^= 1 << bit
    with pytest.raises(NotAsSealed):
        Sealer(store).open(Sealed(sealed.key_id, sealed.nonce, bytes(box)), CASE, "text", COMMAND)


_SHARED: list[tuple[KeyStore, Sealed]] = []


def a_store_and_a_box(folders: pytest.TempPathFactory) -> tuple[KeyStore, Sealed]:
    """One store for all examples of a property: making one costs an fsync each."""
    if not _SHARED:
        folder = folders.mktemp("shared")
        create_master_key(folder / "master.key")
        prepare(folder / "keys.db", read_master_key(folder / "master.key"))
        store = opened(folder)
        _SHARED.append((store, sealed_words(store)))
    return _SHARED[0]


@pytest.fixture(scope="module", autouse=True)
def close_the_shared_store() -> Iterator[None]:
    yield
    for store, _ in _SHARED:
        store.close()


@given(text=st.text(max_size=200), field=st.text(max_size=30))
def test_any_text_in_any_field_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, field: str
) -> None:
    store, _ = a_store_and_a_box(tmp_path_factory)
    sealer = Sealer(store)
    box = sealer.seal(LIS_KEY, CASE, field, COMMAND, text)
    assert sealer.open(box, CASE, field, COMMAND) == text


def test_many_open_in_order_also_when_no_key_is_cached(folder: Path, keys: KeyStore) -> None:
    sealer, boxes = Sealer(keys), []
    for n in range(20):
        key_id = person_key(f"p{n}")
        keys.ensure_now(key_id, Owner(OwnerKind.PERSON, f"p{n}"))
        sealed = sealer.seal(key_id, CASE, "text", COMMAND, f"第{n}条")
        boxes.append(Boxed(sealed, CASE, "text", COMMAND))
    keys.destroy(Owner(OwnerKind.PERSON, "p7"), T0)
    keys.purge()
    texts = sealer.open_many(boxes)
    assert texts == [None if n == 7 else f"第{n}条" for n in range(20)]


def test_a_key_that_never_was_is_an_error_and_not_an_erasure(keys: KeyStore) -> None:
    stray = Sealed(person_key("nobody"), b"0" * 12, b"0" * 32)
    with pytest.raises(UnknownKey):
        Sealer(keys).open(stray, CASE, "text", COMMAND)
    with pytest.raises(UnknownKey):
        Sealer(keys).open_many([Boxed(stray, CASE, "text", COMMAND)])


def test_a_fingerprint_tells_the_same_body_again_and_differs_between_persons(
    keys: KeyStore,
) -> None:
    keys.ensure_now(LIS_KEY, LI)
    keys.ensure_now(person_key("wang"), WANG)
    sealer = Sealer(keys)
    mine = sealer.fingerprint(LIS_KEY, b"body")
    assert mine == sealer.fingerprint(LIS_KEY, b"body")
    assert mine != sealer.fingerprint(LIS_KEY, b"body2")
    assert mine != sealer.fingerprint(person_key("wang"), b"body")


def test_a_files_key_is_wrapped_under_the_uploader_and_gone_with_them(keys: KeyStore) -> None:
    keys.ensure_now(LIS_KEY, LI)
    sealer = Sealer(keys)
    wrapped = sealer.wrapper(LIS_KEY)(b"k" * 32)
    assert sealer.unwrap(wrapped) == b"k" * 32
    with pytest.raises(NotAsSealed):
        sealer.unwrap(wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
    keys.destroy(LI, T0)
    assert sealer.unwrap(wrapped) is None
    with pytest.raises(Erased):
        sealer.wrapper(LIS_KEY)(b"k" * 32)


# Keys ---------------------------------------------------------------------------------------


def test_a_key_outlives_its_process_and_a_retry_finds_the_same(folder: Path) -> None:
    first = opened(folder)
    sealed = sealed_words(first)
    first.close()
    second = opened(folder)
    second.ensure_now(LIS_KEY, LI)
    assert Sealer(second).open(sealed, CASE, "text", COMMAND) == TEXT
    second.close()


def test_the_key_of_a_staff_text_follows_from_command_and_field() -> None:
    assert staff_text_key(COMMAND, "reply") == staff_text_key(COMMAND, "reply")
    assert staff_text_key(COMMAND, "reply") != staff_text_key(COMMAND, "words")
    assert staff_text_key(COMMAND, "reply") != staff_text_key(CASE, "reply")


def test_many_who_ask_at_once_for_one_key_get_one_key(folder: Path) -> None:
    stores = [opened(folder), opened(folder)]

    def ask(n: int) -> bytes:
        store = stores[n % 2]
        store.ensure_now(LIS_KEY, LI)
        return Sealer(store).fingerprint(LIS_KEY, b"x")

    with ThreadPoolExecutor(16) as pool:
        seen = set(pool.map(ask, range(64)))
    assert len(seen) == 1
    for store in stores:
        store.purge()
        assert Sealer(store).fingerprint(LIS_KEY, b"x") in seen
        store.close()


def test_coroutines_that_ask_at_once_share_commits_and_a_key_once_answered_is_on_disk(
    folder: Path, keys: KeyStore
) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(
            *(
                keys.ensure(person_key(f"p{n % 50}"), Owner(OwnerKind.PERSON, f"p{n % 50}"))
                for n in range(200)
            )
        )

    asyncio.run(all_at_once())
    assert all(wrapped_key(folder, person_key(f"p{n}")) for n in range(50))


def test_a_request_that_hangs_up_does_not_stop_the_writer(keys: KeyStore) -> None:
    async def hang_up() -> None:
        tasks = [
            asyncio.create_task(keys.ensure(person_key(f"p{n}"), Owner(OwnerKind.PERSON, f"p{n}")))
            for n in range(100)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(hang_up())
    keys.ensure_now(LIS_KEY, LI)
    assert keys.alive


def test_a_key_has_one_owner(keys: KeyStore) -> None:
    keys.ensure_now(LIS_KEY, LI)
    with pytest.raises(WrongOwner):
        keys.ensure_now(LIS_KEY, WANG)
    keys.purge()
    with pytest.raises(WrongOwner):
        keys.ensure_now(LIS_KEY, WANG)


def test_one_bad_request_does_not_spoil_the_commit_it_shares(folder: Path) -> None:
    def bad(db: sqlite3.Connection) -> None:
        raise WrongOwner

    def good(db: sqlite3.Connection) -> None:
        db.execute("UPDATE generation SET n = 7")

    writer = KeyWriter(folder / "keys.db")
    refused, fine = writer.together(bad), writer.together(good)
    fine.result()
    with pytest.raises(WrongOwner):
        refused.result()
    writer.close()
    with pytest.raises(KeysNotWritten):
        writer.together(good)


def test_a_wrapped_key_copied_to_another_owners_row_does_not_open(
    folder: Path, keys: KeyStore
) -> None:
    keys.ensure_now(LIS_KEY, LI)
    keys.ensure_now(person_key("wang"), WANG)
    db = sqlite3.connect(folder / "keys.db")
    db.execute(
        "UPDATE key SET wrapped = (SELECT wrapped FROM key WHERE owner_id = 'li')"
        " WHERE owner_id = 'wang'"
    )
    db.commit()
    db.close()
    keys.purge()
    with pytest.raises(UnknownKey):
        keys.get(person_key("wang"))


def test_the_cache_is_bounded_and_a_key_put_out_of_it_is_read_again(folder: Path) -> None:
    store = opened(folder, cached=2)
    sealed = sealed_words(store)
    for n in range(5):
        store.ensure_now(person_key(f"p{n}"), Owner(OwnerKind.PERSON, f"p{n}"))
    assert Sealer(store).open(sealed, CASE, "text", COMMAND) == TEXT
    store.close()


# The files ----------------------------------------------------------------------------------


def test_a_master_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    create_master_key(path)
    first = read_master_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        create_master_key(path)
    assert read_master_key(path) == first


def test_a_master_key_that_is_absent_exposed_or_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with pytest.raises(MasterKeyRefused, match="读不到"):
        read_master_key(path)
    create_master_key(path)
    path.chmod(0o640)
    with pytest.raises(MasterKeyRefused, match="0600"):
        read_master_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(MasterKeyRefused, match="32"):
        read_master_key(path)


def test_keys_of_another_master_key_are_refused_at_start(folder: Path) -> None:
    with pytest.raises(MasterKeyRefused, match="不匹配"):
        KeyStore(folder / "keys.db", b"m" * 32, at_t0)


def test_a_start_never_makes_the_tables(tmp_path: Path) -> None:
    create_master_key(tmp_path / "master.key")
    with pytest.raises(KeysNotPrepared):
        opened(tmp_path)
    sqlite3.connect(tmp_path / "keys.db").close()
    (tmp_path / "keys.db").touch()
    with pytest.raises(KeysNotPrepared):
        opened(tmp_path)


def test_preparing_again_keeps_every_key(folder: Path, keys: KeyStore) -> None:
    sealed = sealed_words(keys)
    prepare(folder / "keys.db", read_master_key(folder / "master.key"))
    keys.purge()
    assert Sealer(keys).open(sealed, CASE, "text", COMMAND) == TEXT
    assert (folder / "keys.db").stat().st_mode & 0o777 == 0o600


# Destroying ---------------------------------------------------------------------------------


def test_after_destruction_the_wrapped_key_is_in_no_byte_of_the_store(
    folder: Path, keys: KeyStore
) -> None:
    for n in range(400):
        keys.ensure_now(person_key(f"p{n}"), Owner(OwnerKind.PERSON, f"p{n}"))
    sealed = sealed_words(keys)
    canary = wrapped_key(folder, LIS_KEY)
    assert canary is not None
    assert canary in bytes_of_store(folder)
    keys.destroy(LI, T0)
    assert canary not in bytes_of_store(folder)
    assert Sealer(keys).open(sealed, CASE, "text", COMMAND) is None
    assert keys.get(person_key("p3")) is not None


def test_without_secure_delete_and_scrub_the_canary_stays(folder: Path, keys: KeyStore) -> None:
    """The negative control: a plain DELETE leaves the key in the file or its WAL."""
    keys.ensure_now(LIS_KEY, LI)
    canary = wrapped_key(folder, LIS_KEY)
    assert canary is not None
    db = sqlite3.connect(folder / "keys.db")
    db.execute("DELETE FROM key WHERE key_id = ?", (LIS_KEY.bytes,))
    db.commit()
    assert canary in bytes_of_store(folder)
    db.close()


def test_a_reader_that_holds_the_wal_delays_the_end_but_not_the_silence(
    folder: Path, keys: KeyStore
) -> None:
    sealed, canary = sealed_words(keys), wrapped_key(folder, LIS_KEY)
    assert canary is not None
    reader = sqlite3.connect(folder / "keys.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM key").fetchone()
    with pytest.raises(KeysBusy):
        keys.destroy(LI, T0)
    assert Sealer(keys).open(sealed, CASE, "text", COMMAND) is None
    assert canary in bytes_of_store(folder)
    reader.execute("COMMIT")
    reader.close()
    keys.destroy(LI, T0)
    assert canary not in bytes_of_store(folder)


def test_a_destroyed_key_is_never_made_again(keys: KeyStore) -> None:
    keys.ensure_now(LIS_KEY, LI)
    keys.destroy(LI, T0)
    with pytest.raises(Erased):
        keys.ensure_now(LIS_KEY, LI)
    with pytest.raises(Erased):
        Sealer(keys).seal(LIS_KEY, CASE, "text", COMMAND, TEXT)
    with pytest.raises(Erased):
        Sealer(keys).fingerprint(LIS_KEY, b"x")


def test_a_person_erased_before_their_first_report_gets_no_key_later(keys: KeyStore) -> None:
    keys.destroy(LI, T0)
    with pytest.raises(Erased):
        keys.ensure_now(LIS_KEY, LI)


def test_another_process_forgets_a_destroyed_key_when_it_polls(folder: Path) -> None:
    here, there = opened(folder), opened(folder)
    sealed = sealed_words(here)
    assert Sealer(there).open(sealed, CASE, "text", COMMAND) == TEXT
    here.destroy(LI, T0)
    assert there.poll() == [LIS_KEY]
    assert Sealer(there).open(sealed, CASE, "text", COMMAND) is None
    assert there.poll() == []
    here.close()
    there.close()


def test_a_key_read_before_a_purge_is_not_cached_after_it(folder: Path, keys: KeyStore) -> None:
    keys.ensure_now(LIS_KEY, LI)
    keys.purge()
    before = keys._purges
    read = keys.get(LIS_KEY)
    keys.purge()
    keys._remember([(LIS_KEY, read)], before)
    assert LIS_KEY not in keys._cache


def test_staff_texts_of_a_case_are_listed_and_destroyed_one_by_one(keys: KeyStore) -> None:
    about = Owner(OwnerKind.CASE, str(CASE))
    reply, words = staff_text_key(COMMAND, "reply"), staff_text_key(COMMAND, "words")
    keys.ensure_now(reply, about)
    keys.ensure_now(words, about)
    later = T0 + timedelta(days=1)
    keys.destroy_case_keys(CASE, [reply], later)
    listed = {row.key_id: row.destroyed_at for row in keys.keys_of_case(CASE)}
    assert listed == {reply: later, words: None}
    with pytest.raises(WrongOwner):
        keys.destroy_case_keys(OTHER_CASE, [words], later)
    assert keys.get(words) is not None


# The ledger ---------------------------------------------------------------------------------


def test_an_erasure_runs_from_asking_to_complete(folder: Path, keys: KeyStore) -> None:
    sealed = sealed_words(keys)
    ledger = ErasureLedger(keys)
    asked = ledger.ask(ERASURE, "li", "secadmin-1", T0)
    assert asked.state is ErasureState.ASKED and ledger.asked() == [asked]
    ledger.approve(ERASURE, "supervisor-1", T0)
    ledger.destroy_keys(ERASURE, T0)
    waiting = ledger.appended(ERASURE, 41, ["blobs", "case_board"])
    assert waiting.waiting_for == ("blobs", "case_board")
    assert ledger.acknowledge(ERASURE, "blobs", T0).state is ErasureState.APPENDED
    later = T0 + timedelta(minutes=1)
    done = ledger.acknowledge(ERASURE, "case_board", later)
    assert (done.state, done.position, done.completed_at) == (ErasureState.COMPLETE, 41, later)
    assert ledger.unfinished() == []
    assert Sealer(keys).open(sealed, CASE, "text", COMMAND) is None


def test_nobody_approves_alone_what_they_asked_about_another(keys: KeyStore) -> None:
    ledger = ErasureLedger(keys)
    ledger.ask(ERASURE, "li", "secadmin-1", T0)
    with pytest.raises(ConflictOfInterest):
        ledger.approve(ERASURE, "secadmin-1", T0)
    assert ledger.approve(ERASURE, "li", T0).state is ErasureState.APPROVED


def test_a_person_may_ask_and_approve_for_himself(keys: KeyStore) -> None:
    ledger = ErasureLedger(keys)
    ledger.ask(ERASURE, "li", "li", T0)
    assert ledger.approve(ERASURE, "li", T0).state is ErasureState.APPROVED


def test_nothing_is_destroyed_before_approval_or_after_a_refusal(keys: KeyStore) -> None:
    sealed, ledger = sealed_words(keys), ErasureLedger(keys)
    ledger.ask(ERASURE, "li", "secadmin-1", T0)
    with pytest.raises(NothingPending):
        ledger.destroy_keys(ERASURE, T0)
    ledger.decline(ERASURE, "supervisor-1", T0)
    with pytest.raises(NothingPending):
        ledger.destroy_keys(ERASURE, T0)
    with pytest.raises(NothingPending):
        ledger.approve(ERASURE, "supervisor-2", T0)
    assert Sealer(keys).open(sealed, CASE, "text", COMMAND) == TEXT


def test_asking_twice_is_one_erasure(keys: KeyStore) -> None:
    ledger = ErasureLedger(keys)
    first = ledger.ask(ERASURE, "li", "secadmin-1", T0)
    assert ledger.ask(ERASURE, "li", "secadmin-1", T0) == first
    assert ledger.ask(CASE, "li", "secadmin-2", T0) == first
    assert ledger.all() == [first]


def test_only_named_readers_acknowledge_and_only_after_the_event(keys: KeyStore) -> None:
    ledger = ErasureLedger(keys)
    ledger.ask(ERASURE, "li", "li", T0)
    ledger.approve(ERASURE, "li", T0)
    with pytest.raises(NothingPending):
        ledger.appended(ERASURE, 41, ["blobs"])
    ledger.destroy_keys(ERASURE, T0)
    with pytest.raises(NothingPending):
        ledger.acknowledge(ERASURE, "blobs", T0)
    ledger.appended(ERASURE, 41, ["blobs"])
    with pytest.raises(NothingPending):
        ledger.acknowledge(ERASURE, "stranger", T0)


def carry_on(ledger: ErasureLedger, erasure: Erasure) -> Erasure:
    """One step further, as a start-up does it."""
    match erasure.state:
        case ErasureState.APPROVED:
            return ledger.destroy_keys(erasure.id, T0)
        case ErasureState.KEYS_DESTROYED:
            return ledger.appended(erasure.id, 41, ["blobs", "case_board"])
        case _:
            return ledger.acknowledge(erasure.id, erasure.waiting_for[0], T0)


@pytest.mark.parametrize("steps", range(5))
def test_a_crash_between_any_two_steps_is_resumed(folder: Path, steps: int) -> None:
    before = opened(folder)
    sealed, canary = sealed_words(before), wrapped_key(folder, LIS_KEY)
    assert canary is not None
    ledger = ErasureLedger(before)
    ledger.ask(ERASURE, "li", "li", T0)
    erasure = ledger.approve(ERASURE, "li", T0)
    for _ in range(steps):
        if ledger.unfinished():
            erasure = carry_on(ledger, erasure)
    before.close()

    after = opened(folder)
    ledger = ErasureLedger(after)
    for _ in range(10):
        for erasure in ledger.unfinished():
            carry_on(ledger, erasure)
    assert ledger.get(ERASURE).state is ErasureState.COMPLETE
    assert Sealer(after).open(sealed, CASE, "text", COMMAND) is None
    assert canary not in bytes_of_store(folder)
    after.close()


def test_a_crash_within_the_destruction_is_resumed_and_leaves_no_byte(folder: Path) -> None:
    store = opened(folder)
    sealed, canary = sealed_words(store), wrapped_key(folder, LIS_KEY)
    assert canary is not None
    ledger = ErasureLedger(store)
    ledger.ask(ERASURE, "li", "li", T0)
    ledger.approve(ERASURE, "li", T0)
    # The rows are changed, the file is not yet rebuilt, the ledger not yet moved on.
    half = sqlite3.connect(folder / "keys.db")
    half.execute("UPDATE key SET wrapped = NULL, destroyed_at = 1, destroyed_in = 1")
    half.commit()
    assert canary in bytes_of_store(folder)
    half.close()
    store.purge()

    for erasure in ledger.unfinished():
        carry_on(ledger, erasure)
    assert ledger.get(ERASURE).state is ErasureState.KEYS_DESTROYED
    assert canary not in bytes_of_store(folder)
    assert Sealer(store).open(sealed, CASE, "text", COMMAND) is None
    store.close()


def test_every_step_repeated_changes_nothing(keys: KeyStore) -> None:
    ledger = ErasureLedger(keys)
    ledger.ask(ERASURE, "li", "li", T0)
    assert ledger.approve(ERASURE, "li", T0) == ledger.approve(ERASURE, "li", T0)
    assert ledger.destroy_keys(ERASURE, T0) == ledger.destroy_keys(ERASURE, T0)
    assert ledger.appended(ERASURE, 41, ["a"]) == ledger.appended(ERASURE, 42, ["a", "b"])
    done = ledger.acknowledge(ERASURE, "a", T0)
    assert ledger.acknowledge(ERASURE, "a", T0 + timedelta(hours=1)) == done
    assert ledger.destroy_keys(ERASURE, T0).state is ErasureState.COMPLETE


def test_after_a_restore_the_kept_ledger_erases_again(folder: Path) -> None:
    store = opened(folder)
    sealed = sealed_words(store)
    backup = sqlite3.connect(folder / "backup.db")
    source = sqlite3.connect(folder / "keys.db")
    source.backup(backup)
    source.close()
    backup.close()
    ledger = ErasureLedger(store)
    ledger.ask(ERASURE, "li", "li", T0)
    ledger.approve(ERASURE, "li", T0)
    ledger.destroy_keys(ERASURE, T0)
    ledger.appended(ERASURE, 41, ["blobs"])
    ledger.acknowledge(ERASURE, "blobs", T0)
    kept = ledger.all()
    store.close()

    for old in folder.glob("keys.db*"):
        old.unlink()
    (folder / "backup.db").rename(folder / "keys.db")
    restored = opened(folder)
    assert Sealer(restored).open(sealed, CASE, "text", COMMAND) == TEXT
    ledger = ErasureLedger(restored)
    assert [one.state for one in ledger.replay(kept)] == [ErasureState.APPROVED]
    ledger.destroy_keys(ERASURE, T0)
    assert Sealer(restored).open(sealed, CASE, "text", COMMAND) is None
    restored.close()


# Power and kill -----------------------------------------------------------------------------

MAKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from casework.key_file import read_master_key
from casework.keys import KeyStore, Owner, OwnerKind, person_key
from casework.sealing import Sealer

folder = Path(sys.argv[1])
keys = KeyStore(folder / "keys.db", read_master_key(folder / "master.key"),
                lambda: datetime.now(UTC))
sealer = Sealer(keys)

def make(thread):
    for n in range(1_000_000):
        name = f"p{thread}-{n}"
        keys.ensure_now(person_key(name), Owner(OwnerKind.PERSON, name))
        line = f"{name} {sealer.fingerprint(person_key(name), b'x').hex()}"
        sys.stdout.write(line + chr(10))
        sys.stdout.flush()

threads = [Thread(target=make, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
"""


@pytest.mark.parametrize("after", [1, 40, 200])
def test_no_acknowledged_key_is_lost_to_kill_9(folder: Path, after: int) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", MAKER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as maker:
        assert maker.stdout is not None
        lines = [maker.stdout.readline() for _ in range(after)]
        maker.send_signal(signal.SIGKILL)
        lines += maker.stdout.readlines()
    acknowledged = [line.split() for line in lines if line.endswith("\n")]
    assert len(acknowledged) >= after
    keys = opened(folder, cached=100_000)
    sealer = Sealer(keys)
    for name, fingerprint in acknowledged:
        assert sealer.fingerprint(person_key(name), b"x").hex() == fingerprint
    keys.close()


def test_a_wrapped_secret_never_looks_the_same_twice(keys: KeyStore) -> None:
    assert wrap(keys._master, b"secret", b"") != wrap(keys._master, b"secret", b"")
