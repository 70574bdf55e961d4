"""Signing in, and how failures are made slow without giving strangers a lever on the owner."""

import asyncio
import threading
from datetime import timedelta
from time import thread_time
from uuid import uuid4

import pytest

from api.accounts.errors import Overloaded, TooManyAttempts, WrongCredentials
from api.accounts.lockout import Budget
from api.accounts.passwords import ASVS, Passwords
from api.accounts.principal import Channel
from api.accounts.sign_in import SignedIn
from api.accounts.tables import account
from casework.model import Role
from tests.accounts.office import GOOD, NOON, Office, after, run


def fail(office: Office, name: str, times: int, **where: str | None) -> list[type[Exception]]:
    """What each of so many wrong attempts, all at noon, is answered with."""
    answers: list[type[Exception]] = []
    for _ in range(times):
        try:
            office.sign_in(name, "wrong", **where)  # type: ignore[arg-type]  # source and device
        except (WrongCredentials, TooManyAttempts) as answer:
            answers.append(type(answer))
    return answers


def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(office: Office) -> None:
    office.citizen("xiaoming")
    said = set()
    for name in ("xiaoming", "nobody", "", "\ud800", "x" * 5000):
        with pytest.raises(WrongCredentials) as answer:
            office.sign_in(name, "\ud800", source=f"{len(name)}")
        said.add(str(answer.value))
    assert len(said) == 1


def test_an_unknown_name_costs_the_hash_of_a_known_one() -> None:
    passwords = Passwords(ASVS)
    stored = passwords.hash(GOOD)

    def cost(of: str | None) -> float:
        best = 1.0
        for _ in range(7):
            began = thread_time()
            assert not passwords.verify(of, "wrong")
            best = min(best, thread_time() - began)
        return best

    known, unknown = cost(stored), cost(None)
    passwords.close()
    assert 0.5 < known / unknown < 2


def test_names_are_known_in_any_case_and_width(office: Office) -> None:
    office.citizen("XiaoMing")
    office.sign_in(" ｘｉａｏming ")


def test_after_five_wrong_ones_the_wait_doubles_up_to_an_hour(office: Office) -> None:
    office.citizen("xiaoming")
    assert fail(office, "xiaoming", 5) == [WrongCredentials] * 5
    waits, at = [], NOON
    for _ in range(9):
        with pytest.raises(TooManyAttempts) as refused:
            office.sign_in("xiaoming", at=at)
        waits.append(refused.value.retry_after)
        at = after(seconds=sum(waits))
        with pytest.raises(WrongCredentials):
            office.sign_in("xiaoming", "wrong", at=at)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_the_right_password_is_refused_during_the_wait_and_taken_after_it(
    office: Office,
) -> None:
    office.citizen("xiaoming")
    fail(office, "xiaoming", 5)
    with pytest.raises(TooManyAttempts):
        office.sign_in("xiaoming", at=after(seconds=29))
    office.sign_in("xiaoming", at=after(seconds=30))
    assert fail(office, "xiaoming", 5) == [WrongCredentials] * 5, "the slips are forgotten"


def test_a_stranger_elsewhere_does_not_lock_out_the_owner(office: Office) -> None:
    office.citizen("xiaoming")
    device = office.sign_in("xiaoming", source="home").device
    for number in range(20):
        fail(office, "xiaoming", 6, source=f"stranger-{number}")
    with pytest.raises(TooManyAttempts):
        office.sign_in("xiaoming", source="a-new-place")
    office.sign_in("xiaoming", source="home")
    office.sign_in("xiaoming", source="a-new-place", device=device)


def test_a_stranger_in_the_same_office_does_not_lock_out_the_owners_device(
    office: Office,
) -> None:
    office.citizen("xiaoming")
    device = office.sign_in("xiaoming", source="office").device
    assert TooManyAttempts in fail(office, "xiaoming", 40, source="office")
    assert TooManyAttempts in fail(office, "others", 40, source="office")
    office.sign_in("xiaoming", source="office", device=device)


def test_a_known_device_has_a_budget_too(office: Office) -> None:
    office.citizen("xiaoming")
    device = office.sign_in("xiaoming").device
    answers = fail(office, "xiaoming", 12, device=device)
    assert answers == [WrongCredentials] * 10 + [TooManyAttempts] * 2


def test_the_device_of_one_account_opens_no_budget_on_another(office: Office) -> None:
    office.citizen("mallory")
    office.citizen("xiaoming")
    device = office.sign_in("mallory", source="dark").device
    assert fail(office, "xiaoming", 7, source="dark", device=device)[5:] == [TooManyAttempts] * 2


def test_one_source_cannot_try_many_names(office: Office) -> None:
    answers = [fail(office, f"name-{n}", 1, source="dark")[0] for n in range(32)]
    assert answers == [WrongCredentials] * 30 + [TooManyAttempts] * 2
    assert fail(office, "name-99", 1, source="elsewhere") == [WrongCredentials]


def test_signing_in_to_an_account_of_ones_own_does_not_clear_the_source(office: Office) -> None:
    office.citizen("mallory")
    for n in range(29):
        fail(office, f"name-{n}", 1, source="dark")
    office.sign_in("mallory", source="dark")
    assert fail(office, "a", 1, source="dark") == [WrongCredentials]
    assert fail(office, "b", 1, source="dark") == [TooManyAttempts]
    office.sign_in("mallory", source="dark")
    assert fail(office, "c", 1, source="dark") == [TooManyAttempts]


def test_attempts_at_the_same_moment_are_counted_one_by_one(office: Office) -> None:
    office.citizen("xiaoming")

    async def burst() -> list[object]:
        return await asyncio.gather(
            *(
                office.door.sign_in(
                    "xiaoming", "wrong", source="dark", device=None, channel=Channel.PAGE,
                    session_id=uuid4(), now=NOON,
                )
                for _ in range(20)
            ),
            return_exceptions=True,
        )  # fmt: skip

    answers = [type(answer) for answer in run(burst())]
    assert answers.count(WrongCredentials) == 5
    assert answers.count(TooManyAttempts) == 15


def test_more_than_the_line_holds_are_told_to_come_back() -> None:
    passwords = Passwords(ASVS, threads=1, waiting=3, memory_kib=64)
    gate = threading.Event()

    async def burst() -> list[object]:
        tasks = [asyncio.create_task(passwords.run(lambda: gate.wait(60))) for _ in range(10)]
        await asyncio.sleep(0)  # each of them asks for its place
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = run(burst())
    assert [type(answer) for answer in answers] == [bool] * 4 + [Overloaded] * 6
    assert run(passwords.run(lambda: passwords.hash(GOOD))), "there is room again"
    passwords.close()


def test_a_budget_is_full_again_after_a_day(office: Office) -> None:
    office.citizen("xiaoming")
    fail(office, "xiaoming", 5)
    with pytest.raises(WrongCredentials):
        office.sign_in("xiaoming", "wrong", at=after(hours=25))
    with pytest.raises(WrongCredentials):
        office.sign_in("xiaoming", "wrong", at=after(hours=25))
    with office.desk.write() as connection:
        office.lockout.remove_old(connection, after(hours=50))


def test_a_known_device_is_forgotten_after_half_a_year(office: Office) -> None:
    office.citizen("xiaoming")
    device = office.sign_in("xiaoming").device
    for number in range(20):
        for _ in range(6):
            with pytest.raises((WrongCredentials, TooManyAttempts)):
                office.sign_in("xiaoming", "wrong", source=f"s{number}", at=after(days=181))
    with pytest.raises(TooManyAttempts):
        office.sign_in("xiaoming", device=device, at=after(days=181))


def test_every_attempt_has_one_audit_row_and_no_typed_name(office: Office) -> None:
    office.first(Role.SYSADMIN, "xitong")
    before = len(office.audited("sign-in"))
    fail(office, "xitong", 6, source="dark")
    fail(office, "GOOD-typed-as-name", 1, source="dark")
    rows = office.audited("sign-in")
    assert [row.entry.outcome for row in rows[: len(rows) - before]] == [
        "refused", "locked", *["refused"] * 5,
    ]  # fmt: skip
    assert "GOOD-typed-as-name" not in str(rows)


def test_a_hash_of_weaker_parameters_is_renewed_at_sign_in(office: Office) -> None:
    office.citizen("xiaoming")
    stronger = Office(office.desk)
    stronger.passwords = Passwords(ASVS, memory_kib=128)
    stronger.door._passwords = stronger.passwords
    stronger.sign_in("xiaoming")
    with pytest.raises(WrongCredentials):
        stronger.sign_in("xiaoming", "wrong")
    with office.desk.read() as connection:
        stored = connection.execute(account.select()).one().password_hash
    assert "m=128," in stored
    stronger.close()


def test_sign_ins_at_once_all_succeed_though_each_would_renew_the_hash(office: Office) -> None:
    office.citizen("xiaoming")
    stronger = Office(office.desk)
    stronger.passwords = Passwords(ASVS, threads=4, memory_kib=128)
    stronger.door._passwords = stronger.passwords

    async def burst() -> list[object]:
        return await asyncio.gather(
            *(
                stronger.door.sign_in(
                    "xiaoming", GOOD, source="home", device=None, channel=Channel.PAGE,
                    session_id=uuid4(), now=NOON,
                )
                for _ in range(5)
            ),
            return_exceptions=True,
        )  # fmt: skip

    assert {type(answer) for answer in run(burst())} == {SignedIn}
    stronger.close()


def test_the_wait_grows_only_beyond_the_free_failures() -> None:
    budget = Budget(free=3, first=timedelta(seconds=1), longest=timedelta(seconds=60))
    waits = [budget.wait(n).total_seconds() for n in (0, 2, 3, 4, 8, 9, 10_000)]
    assert waits == [0, 0, 1, 2, 32, 60, 60]
