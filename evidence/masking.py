"""Masks personal data in free text before it is shown, searched or learnt from. Knows no case.

Telephone numbers, identity and bank cards, plates, e-mail, chat accounts, rooms, and names in
context (联系人王芳, 李先生) become 〔电话〕, 〔证件号〕 … . Rules find what has a form; the rest is
left to a person, who looks before anything is published. In doubt it masks: a lost word costs
less than a shown number.

Text is folded (NFKC, digits of any script, Chinese numerals) for matching only; what is not masked
stays as it was written. Time is linear in the text: every pattern is bounded or possessive.
Sources: GB 11643-1999 (identity numbers), GA 36-2018 (plates), ISO/IEC 7812-1 (Luhn).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from evidence.names import CUE, names
from evidence.number_runs import BANK_CARD, IDENTITY, TELEPHONE, Span, numbers

PLATE = "〔车牌〕"
EMAIL = "〔邮箱〕"
ACCOUNT = "〔账号〕"
ROOM = "〔住址〕"

ALL = "〔内容已遮盖〕"
"""For a text made to be masked for ever. None is known; the bound keeps the time linear."""

_MOST_ROUNDS = 8
_NUMERAL = "零〇一二两三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_NUMERALS = str.maketrans(_NUMERAL, "0012234567891123456789")
_UNUSUAL = re.compile("[^\u4e00-\u9fff，。！？、；：“”‘’（）《》…—〔〕\\s]")
_SPELT_OUT = re.compile(f"[{_NUMERAL}]{{2}}")

_IS = r"[是为:\s]{0,4}"
_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_AS_WRITTEN = (
    (
        PLATE,
        re.compile(
            f"(?P<it>[{_PROVINCE}] ?[A-HJ-NP-Z][ ·.\\-]{{0,2}}(?=[A-Z0-9]{{0,5}}[0-9])"
            "(?:[DF][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DF]"
            "|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳领使试]))(?![A-Z0-9])",
            re.IGNORECASE,
        ),
    ),
    (
        EMAIL,
        # The look-behind keeps a long word from being tried again at each of its letters.
        re.compile(
            r"(?P<it>(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]++@[A-Za-z0-9\-]++"
            r"(?:\.[A-Za-z0-9\-]++)+)"
        ),
    ),
    (
        ACCOUNT,
        re.compile(
            r"(?:[微威薇]信|(?<![A-Za-z])(?:wechat|weixin|wx|vx|v信|qq)|扣扣|企鹅|支付宝|抖音|快手)"
            rf"(?:号码?|账号|id)?{_IS}(?P<it>[A-Za-z0-9][A-Za-z0-9_\-.]{{4,}}+)",
            re.IGNORECASE,
        ),
    ),
    (ACCOUNT, re.compile(r"(?P<it>(?<![A-Za-z0-9])wxid_[A-Za-z0-9_\-]++)", re.IGNORECASE)),
    (
        IDENTITY,
        re.compile(
            rf"(?:身份证|证件|护照|通行证|社保卡|医保卡)(?:号码?|编号)?{_IS}"
            r"(?P<it>[A-Za-z]{0,2}[0-9](?:[ \-]?[A-Za-z0-9]){5,29}+)"
        ),
    ),
    (
        BANK_CARD,
        re.compile(
            rf"(?:银行卡|卡号|[账帐]号|账户)(?:号码?)?{_IS}(?P<it>[0-9](?:[ \-]?[0-9]){{11,18}}+)"
        ),
    ),
    (
        IDENTITY,
        re.compile(r"(?P<it>(?<![A-Za-z0-9])[EGDSPHM](?:[A-Z][0-9]{7}|[0-9]{8})(?![A-Za-z0-9]))"),
    ),
)
_WITH_NUMERALS_FOLDED = (
    (
        TELEPHONE,
        re.compile(
            r"(?:电话|手机|座机|致电|拨打|来电|联系方式|联系)(?:号码?)?[是为:.\s]{0,4}"
            r"(?P<it>[2-8][0-9]{2,3}[ \-]?[0-9]{4})(?![0-9])"
        ),
    ),
    (
        ROOM,
        re.compile(
            r"(?P<it>[0-9]{1,2}(?:单元|门)[ \-,]?(?:[0-9]{1,2}层)?[0-9]{2,4}[室号户]?)(?![0-9])"
        ),
    ),
    (
        ROOM,
        re.compile(
            r"(?<=[楼栋幢座#])[ \-]?(?P<it>[0-9]{3,4}[室号户]?)"
            r"(?![0-9.]|[米个元辆人户多年月日路次块斤平点:])"
        ),
    ),
    (ROOM, re.compile(r"(?P<it>(?<![0-9])[0-9]{2,4}[A-Za-z]?室)(?![内外])")),
    (
        ROOM,
        re.compile(r"(?P<it>(?<![0-9.\-])[0-9]{1,3}-[0-9]{1,2}-[0-9]{3,4})(?![0-9\-])"),
    ),
    (ROOM, re.compile(rf"(?:房间?号|门牌号?|室号){_IS}(?P<it>[0-9][0-9A-Za-z\-]{{0,8}}+)")),
)


def mask(text: str) -> str:
    """The text with personal data replaced. Masking it again changes nothing."""
    if not _may_hold_any(text):
        return text
    # What is masked may end a name, or free a number, that stood against it.
    for _ in range(_MOST_ROUNDS):
        spans = _merged(_found(text))
        if not spans:
            return text
        text = _replaced(text, spans)
    return ALL


def _may_hold_any(text: str) -> bool:
    """Quickly False for the greater part of sentences: only ideographs, and no cue among them."""
    return bool(_UNUSUAL.search(text) or CUE.search(text) or _SPELT_OUT.search(text))


def _found(text: str) -> Iterator[Span]:
    """Spans in characters of `text`; they may overlap."""
    pieces = [_folded(one) for one in text]
    folded = "".join(pieces)
    spans = _in_folded(folded)
    if all(len(piece) == 1 for piece in pieces):
        yield from spans
        return
    origin = [at for at, piece in enumerate(pieces) for _ in piece]
    for start, end, token in spans:
        last = origin[end - 1] + 1
        while last < len(text) and not pieces[last]:  # what only decorates the last character
            last += 1
        yield origin[start], last, token


def _in_folded(folded: str) -> Iterator[Span]:
    yield from _by_rules(folded, _AS_WRITTEN)
    yield from numbers(folded)
    yield from names(folded)
    digits = folded.translate(_NUMERALS)
    yield from _by_rules(digits, _WITH_NUMERALS_FOLDED)
    if digits != folded:
        yield from numbers(digits)


def _by_rules(text: str, rules: Iterable[tuple[str, re.Pattern[str]]]) -> Iterator[Span]:
    for token, rule in rules:
        for found in rule.finditer(text):
            yield (*found.span("it"), token)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans as one, under the token of the first and longest: nothing is left over."""
    merged: list[Span] = []
    for start, end, token in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            first, last, kept = merged[-1]
            merged[-1] = (first, max(last, end), kept)
        else:
            merged.append((start, end, token))
    return merged


def _replaced(text: str, spans: list[Span]) -> str:
    out, at = [], 0
    for start, end, token in spans:
        out += [text[at:start], token]
        at = end
    return "".join([*out, text[at:]])


@lru_cache(maxsize=8192)
def _folded(one: str) -> str:
    """A character as the rules see it; nothing for what is invisible or only decorates another."""
    if one in "\n\t\r":
        return one
    plain = ""
    for part in unicodedata.normalize("NFKC", one):
        digit = unicodedata.decimal(part, None)
        category = unicodedata.category(part)
        if digit is not None:
            plain += str(digit)
        elif category == "Pd" or part == "−":
            plain += "-"
        elif category == "Zs":
            plain += " "
        elif part in "•‧・⋅∙":
            plain += "·"
        elif category not in {"Cf", "Mn", "Me"}:
            plain += part
    return plain
