"""Passwords that everybody tries first, by stem. Knows no profile and no account.

A password is common when what is left of it, after small letters, undone look-alikes (@ for a, 0
for o …) and the digits and signs at both ends, is one of the stems below; or when it is a run
(1234, qwer), a repetition (abab), or nothing but digits that make a date or a lucky row. So
`Haidian@2026`, `P@ssw0rd!!` and `woaini1314` are found without a list of every ending.
"""

import re

_WORDS = """
    password passw passwd pass pwd admin administrator root guest user test demo login welcome
    letmein default changeme change master access secret system manager service server oracle
    mysql huawei cisco zxcvbn qwerty qwertyuiop asdfgh asdfghjkl zxcvbnm qazwsx qazwsxedc
    iloveyou monkey dragon sunshine princess football baseball superman batman shadow michael
    trustno hello hellohello freedom whatever computer internet samsung google apple iphone
    android woaini woaiwojia woaiwoziji aini wodemima mima mimashi mimabuzhidao nihao nihaoma
    zhongguo china beijing haidian haidianqu zhongguancun jiedao chengguan suishoupai
    jiesubanjie jiesujiban shequ zhengfu gongan tsinghua qinghua peking beida renmin wangluo
    anquan xitong guanli guanliyuan ceshi zhanghao denglu huanying taobao alipay zhifubao weixin
    wechat tencent baidu weibo douyin wang li zhang liu chen yang zhao huang zhou wu xiaoming
    zhangsan lisi wangwu baobei laopo laogong tiantian xiaoxiao dandan nannan lele feifei kaixin
    xingfu facai pingan jixiang shunli daji haoyun spring summer autumn winter january monday
    sunday company office
"""
STEMS = frozenset(_WORDS.split())
_LUCKY = frozenset(
    {"520", "1314", "5201314", "7758258", "7758521", "147258369", "159357", "110", "119", "12345"}
)
_LOOK_ALIKE = str.maketrans(
    {"@": "a", "4": "a", "0": "o", "1": "i", "!": "i", "3": "e", "$": "s", "5": "s", "7": "t"}
)
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_ROWS = (
    "0123456789" * 2,
    "9876543210" * 2,
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qazwsxedcrfvtgbyhnujm",
    "1qaz2wsx3edc4rfv",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
)
_DATE = re.compile(r"(19|20)\d\d(0?[1-9]|1[0-2])(0?[1-9]|[12]\d|3[01])$|(19|20)\d\d$")
_SHORTEST_RUN = 4


def is_common(password: str) -> bool:
    """Whether this is one of the passwords that are tried first."""
    small = password.casefold()
    forms = {small, _ENDS.sub("", small)}
    forms |= {form.translate(_LOOK_ALIKE) for form in forms}
    forms |= {_ENDS.sub("", form) for form in forms}
    return any(form in STEMS or _is_pattern(form) for form in forms if form) or _only_digits(small)


def _is_pattern(text: str) -> bool:
    """Runs along keyboard or alphabet, one after another, or one piece said again and again."""
    if len(text) >= _SHORTEST_RUN and text in (text + text)[1:-1]:
        return True
    rest = text
    while rest:
        length = max(
            (n for n in range(3, len(rest) + 1) if any(rest[:n] in row for row in _ROWS)), default=0
        )
        if length == 0:
            return False
        rest = rest[length:]
    return len(text) >= _SHORTEST_RUN


def _only_digits(text: str) -> bool:
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) != len(text) or not text:
        return False
    return digits in _LUCKY or _DATE.search(digits) is not None
