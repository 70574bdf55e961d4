"""The server's key and what is drawn from it: receipts and names of sources."""

import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accounts.receipts import Receipts, read
from api.accounts.server_key import Purpose, UnsafeKeyFile, open_server_key
from api.accounts.sources import Sources
from tests.accounts.office import KEY

RECEIPTS = Receipts(KEY.derive(Purpose.RECEIPTS))
SOURCES = Sources(KEY.derive(Purpose.SOURCES))
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_the_key_is_made_once_for_its_owner_only_and_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "var" / "server.key"
    made = open_server_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes()) == 32
    assert open_server_key(path).derive(Purpose.CSRF) == made.derive(Purpose.CSRF)
    assert [left.name for left in path.parent.iterdir()] == ["server.key"]


def test_starters_at_the_same_moment_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    program = (
        "import sys; from pathlib import Path; from api.accounts.server_key import *;"
        "print(open_server_key(Path(sys.argv[1])).derive(Purpose.CSRF).hex())"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({starter.communicate()[0] for starter in starters}) == 1
    assert all(starter.returncode == 0 for starter in starters)


def test_a_key_others_can_read_or_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    open_server_key(path)
    path.chmod(0o640)
    with pytest.raises(UnsafeKeyFile, match="0600"):
        open_server_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(UnsafeKeyFile):
        open_server_key(path)


def test_each_use_has_a_key_of_its_own_and_none_is_shown() -> None:
    assert len({KEY.derive(purpose) for purpose in Purpose}) == len(Purpose)
    assert bytes(range(32)).hex() not in repr(KEY)


def test_the_drawn_keys_never_change() -> None:
    # Receipts in people's hands and names in the database depend on these bytes.
    assert KEY.derive(Purpose.RECEIPTS).hex()[:16] == "554bf30131f0b365"
    assert RECEIPTS.of(UUID(int=1)) == "5MVN-TMS7-0TA6-K3VR-BA59-J3G1-WFNQ"


@given(st.uuids(), st.uuids())
def test_a_receipt_fits_its_case_and_no_other(case: UUID, other: UUID) -> None:
    receipt = RECEIPTS.of(case)
    assert RECEIPTS.of(case) == receipt
    assert RECEIPTS.matches(receipt, case)
    assert RECEIPTS.matches(receipt, other) == (case == other)
    assert not Receipts(bytes(32)).matches(receipt, case)


@given(st.uuids())
def test_a_receipt_may_be_typed_as_people_type(case: UUID) -> None:
    receipt = RECEIPTS.of(case)
    assert len(receipt) == 34
    typed = receipt.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert RECEIPTS.matches(typed, case)
    assert RECEIPTS.matches(receipt.replace("-", ""), case)


@given(st.uuids(), st.integers(0, 27), st.sampled_from(SIGNS))
def test_one_slip_never_passes_the_check(case: UUID, place: int, sign: str) -> None:
    receipt = RECEIPTS.of(case).replace("-", "")
    slipped = receipt[:place] + sign + receipt[place + 1 :]
    assert (read(slipped) is None) == (slipped != receipt)


@given(st.uuids(), st.integers(0, 25), st.integers(0, 25))
def test_two_characters_swapped_never_pass_the_check(case: UUID, one: int, two: int) -> None:
    signs = list(RECEIPTS.of(case).replace("-", ""))
    before = "".join(signs)
    signs[one], signs[two] = signs[two], signs[one]
    swapped = "".join(signs)
    assert (read(swapped) is None) == (swapped != before)


@given(st.text(), st.uuids())
def test_anything_else_is_no_receipt(words: str, case: UUID) -> None:
    assert not RECEIPTS.matches(words, case)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_and_its_mapped_form_are_one_source(address: IPv4Address) -> None:
    assert SOURCES.name(str(address)) == SOURCES.name(f"::ffff:{address}")
    assert str(address) not in SOURCES.name(str(address))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_household_with_ipv6_is_one_source(one: int, two: int) -> None:
    home = int(IPv6Address("2408:8000:1:2::"))
    assert SOURCES.name(str(IPv6Address(home + one))) == SOURCES.name(str(IPv6Address(home + two)))
    assert SOURCES.name(str(IPv6Address(home + (1 << 64)))) != SOURCES.name(str(IPv6Address(home)))


def test_neighbours_differ_and_what_is_no_address_shares_one_name() -> None:
    assert SOURCES.name("10.0.0.1") != SOURCES.name("10.0.0.2")
    assert SOURCES.name("fe80::1%eth0") == SOURCES.name("fe80::1")
    assert SOURCES.name("") == SOURCES.name("testclient") != SOURCES.name("10.0.0.1")
    assert Sources(bytes(32)).name("10.0.0.1") != SOURCES.name("10.0.0.1")
