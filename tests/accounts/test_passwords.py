"""Two profiles of what a password must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accounts.common_passwords import is_common
from api.accounts.errors import WeakPassword
from api.accounts.passwords import (
    ASVS,
    MLPS3,
    PasswordProfile,
    Passwords,
    check_password,
    profile_named,
    temporary_password,
)


@pytest.mark.parametrize(
    ("profile", "password", "why"),
    [
        (MLPS3, "Kx7-pq2", "至少8位"),
        (MLPS3, "kxvtpqzm", "至少含3类"),
        (MLPS3, "kxvtpq39", "至少含3类"),
        (MLPS3, "Haidian@2026", "常见"),
        (MLPS3, "P@ssw0rd!!", "常见"),
        (MLPS3, "Xitong-Kx7", "登录名"),
        (ASVS, "kxvt-pqzm-3", "至少12位"),
        (ASVS, "woaini1314520", "常见"),
        (ASVS, "qwertyuiop123456", "常见"),
        (ASVS, "abcabcabcabc", "常见"),
        (ASVS, "1234567890123", "常见"),
        (ASVS, "x" * 129, "最多128位"),
        (ASVS, "kxvt-pqzm-39\ud800", "无法识别"),
    ],
)
def test_a_weak_password_is_refused_with_the_rule_it_misses(
    profile: PasswordProfile, password: str, why: str
) -> None:
    with pytest.raises(WeakPassword, match=why):
        check_password(profile, password, ("xitong",))


@pytest.mark.parametrize(
    ("profile", "password"),
    [
        (MLPS3, "Kx7-pq2m"),
        (MLPS3, "kxvt-pq39"),
        (ASVS, "kxvtpqzmwrln"),
        (ASVS, "四季青镇的银杏叶十一月黄了"),
        (ASVS, "correct horse battery staple"),
    ],
)
def test_a_good_password_is_taken(profile: PasswordProfile, password: str) -> None:
    check_password(profile, password, ("xitong",))


def test_the_setting_names_the_profile() -> None:
    assert (profile_named("dengbao"), profile_named("asvs")) == (MLPS3, ASVS)
    with pytest.raises(KeyError):
        profile_named("none")


def test_every_missed_rule_is_told_at_once() -> None:
    with pytest.raises(WeakPassword) as weak:
        check_password(MLPS3, "1234")
    assert len(weak.value.why) == 3


@pytest.mark.parametrize(
    "password",
    ["admin", "Admin123!", "5201314", "20080808", "1qaz2wsx", "aaaaaaaa", "!@#$%^&*()", "WEIXIN"],
)
def test_what_everybody_tries_first_is_common(password: str) -> None:
    assert is_common(password)


def test_a_temporary_password_fits_every_profile() -> None:
    for profile in (MLPS3, ASVS) * 200:
        check_password(profile, temporary_password())


@given(st.text(max_size=300))
def test_no_text_breaks_the_check(password: str) -> None:
    try:
        check_password(ASVS, password)
    except WeakPassword as weak:
        assert str(weak)  # noqa: PT017  both ends are right


def test_the_hash_is_argon2id_with_19_mib_and_two_passes() -> None:
    passwords = Passwords(ASVS)
    stored = passwords.hash("kxvtpqzmwrln")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, "kxvtpqzmwrln")
    assert not passwords.verify(stored, "kxvtpqzmwrlN")
    assert not passwords.verify("not a hash", "kxvtpqzmwrln")
    assert not passwords.is_outdated(stored)
    passwords.close()


def test_two_keyboards_agree_and_nothing_is_cut_off() -> None:
    passwords = Passwords(ASVS, memory_kib=64)
    stored = passwords.hash("é" * 128)
    assert passwords.verify(stored, "e\u0301" * 128)
    assert not passwords.verify(stored, "é" * 129)
    passwords.close()
