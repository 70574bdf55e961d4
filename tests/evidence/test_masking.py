import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence.masking import ALL, mask


def with_check(first_17: str) -> str:
    """An identity number with its check, reckoned here by GB 11643 as it is written there."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(digit) * weight for digit, weight in zip(first_17, weights, strict=True))
    return first_17 + "10X98765432"[total % 11]


ID = with_check("11010819900307123")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("楼上住户张伟 13812345678 天天堆东西", "楼上住户〔姓名〕 〔电话〕 天天堆东西"),
        ("联系人：李娜，电话010-62345678转801", "联系人：〔姓名〕，电话〔电话〕"),
        ("138 1234 5678 这个号贴的小广告", "〔电话〕 这个号贴的小广告"),
        ("１３８－１２３４－５６７８", "〔电话〕"),
        ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "〔电话〕"),
        ("①③⑧①②③④⑤⑥⑦⑧", "〔电话〕"),
        ("1 3 8 1 2 3 4 5 6 7 8", "〔电话〕"),
        ("138\u200b1234\u200b5678", "〔电话〕"),
        ("٠١٠٦٢٣٤٥٦٧٨", "〔电话〕"),
        ("+86-138-1234-5678", "+〔电话〕"),
        ("8613812345678", "〔电话〕"),
        ("电话一三八一二三四五六七八", "电话〔电话〕"),
        ("幺三八 幺二三四 五六七八", "〔电话〕"),
        ("62345678", "〔电话〕"),
        ("手机 2345-6789", "手机 〔电话〕"),
        ("13812345678/13912345678", "〔电话〕/〔电话〕"),
        (f"身份证{ID}被人冒用", "身份证〔证件号〕被人冒用"),
        (ID, "〔证件号〕"),
        (f"{ID[:6]} {ID[6:14]} {ID[14:]}", "〔证件号〕"),
        (f"{ID[:3]} {ID[3:6]} {ID[6:10]} {ID[10:14]} {ID[14:]}", "〔证件号〕"),
        ("110108900307123", "〔证件号〕"),
        ("护照E12345678丢了", "护照〔证件号〕丢了"),
        ("车牌京A12345的面包车", "车牌〔车牌〕的面包车"),
        ("京AD12345新能源车", "〔车牌〕新能源车"),
        ("京N·8K2P6长期占道", "〔车牌〕长期占道"),
        ("京a·12345", "〔车牌〕"),
        ("冀B1234挂", "〔车牌〕"),
        ("邮箱zhang.san@example.com回复我", "邮箱〔邮箱〕回复我"),
        ("加微信 wxid_abc123 办理", "加微信 〔账号〕 办理"),
        ("QQ：1234567", "QQ：〔账号〕"),
        ("VX:abc-12345", "VX:〔账号〕"),
        ("卡 4111 1111 1111 1111", "卡 〔银行卡〕"),
        ("银行卡6222021234567890123扣费", "银行卡〔银行卡〕扣费"),
        ("3号楼2单元501室漏水", "3号楼〔住址〕漏水"),
        ("三号楼二单元五零一室", "三号楼〔住址〕"),
        ("房主赵建国住6-1-302", "房主〔姓名〕住〔住址〕"),
        ("5号楼1203堆物", "5号楼〔住址〕堆物"),
        ("我叫王小明，反映垃圾桶满冒", "我叫〔姓名〕，反映垃圾桶满冒"),
        ("我叫王小明反映问题", "我叫〔姓名〕反映问题"),
        ("物业经理刘强说不管", "物业经理〔姓名〕说不管"),
        ("欧阳娜娜女士来电", "〔姓名〕女士来电"),
        ("王师傅和李女士", "〔姓名〕师傅和〔姓名〕女士"),
    ],
)
def test_what_tells_a_person_is_masked(written: str, shown: str) -> None:
    assert mask(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        "小区3号楼旁边2024年12月31日堆的垃圾",
        "2024-12-31 08:30 拍摄",
        "20241231",
        "案件编号HD20250601000123已办结",
        "12345热线和96310都打过",
        "坐标116.308392,39.990100",
        "坐标 116.30839212, 39.62345678",
        "每天有200辆共享单车堆在地铁口",
        "400-810-8888",
        "2023-2024年度",
        "环卫师傅没来，保安师傅也不管",
        "业主和居民都不满意，老板高兴",
        "办公室门口，会议室内",
        "3号楼100米处，5号楼300多户",
        "新疆WINDOWS",
        "学院路甲5号院",
        "第一一九中学西门",
        "全角标点，（括号）；￥１２元",
    ],
)
def test_what_tells_nobody_stays_as_it_was_written(written: str) -> None:
    assert mask(written) == written


def test_a_check_digit_that_is_wrong_only_saves_a_number_written_in_odd_groups() -> None:
    wrong = ID[:-1] + ("1" if ID[-1] != "1" else "2")
    assert mask(wrong) == "〔证件号〕"
    odd = f"{wrong[:3]} {wrong[3:6]} {wrong[6:10]} {wrong[10:14]} {wrong[14:]}"
    assert mask(odd) == odd


def test_a_number_with_no_luhn_check_and_no_cue_is_no_bank_card() -> None:
    assert mask("4111 1111 1111 1112") == "4111 1111 1111 1112"


def test_only_what_is_masked_changes_and_the_rest_keeps_its_full_width() -> None:
    assert mask("ＡＢＣ，１３８１２３４５６７８；㎡") == "ＡＢＣ，〔电话〕；㎡"


SHARDS = st.sampled_from(
    [
        *"0123456789一二三零幺 -.·()@_Xx京A王李和安師〔〕，说的楼室门",
        *("１", "⑩", "\u20e3", "\u200b", "㎡", "13812345678", "010-", "6234", "5678", ID, "转801"),
        *("我叫", "业主", "联系人", "姓名", "先生", "女士", "师傅", "电话", "微信", "wxid_", "qq"),
        *("京A1234", "a@b.cn", "单元", "501室", "6-1-302", "〔电话〕", "〔姓名〕", "欧阳", "保安"),
    ]
)


@settings(max_examples=400)
@given(st.lists(SHARDS, max_size=14).map("".join))
@example("业主张伟京A12345")
@example("业主赵一钱二先生")
@example("5-13812345678 6-1-302")
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once
    assert once != ALL


@given(st.text(max_size=80))
def test_any_text_at_all_is_masked_without_fault_and_once_for_all(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(
    st.text(alphabet="垃圾桶满冒周边不洁，。", max_size=10),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", " ", "-", "－", "·"]),
    st.text(alphabet="请尽快清理，。", max_size=10),
)
def test_no_mobile_number_gets_through_however_it_is_parted(
    before: str, number: str, between: str, after: str
) -> None:
    written = between.join([number[:3], number[3:7], number[7:]])
    assert mask(before + written + after) == before + "〔电话〕" + after


HOSTILE = [
    *("1", "1 ", "1-", ".1", "(1", "13", "1381234567", "a", "a.", "a@", "@", "-", " ", "一"),
    *("王", "王先", "先生王", "业主王", "王业主", "业主赵一", "我叫王", "王五业主", "联系人"),
    *("京A", "京A1234", "业主王京A12345", "楼1", "楼1 ", "1-1-", "wxid_", "微信", "9️⃣", "单元1"),
]


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.thread_time()
        mask(text)
        best = min(best, time.thread_time() - begun)
    return best


@pytest.mark.parametrize("shard", HOSTILE)
def test_eight_times_the_hostile_text_costs_about_eight_times_and_not_sixty_four(
    shard: str,
) -> None:
    # Growth, not time: what costs the square grows by 64 here.
    short, long = (shard * (size // len(shard)) for size in (3_000, 24_000))
    assert seconds(long) < 24 * seconds(short) + 0.002


def test_a_hundred_kilobytes_of_number_like_text_are_masked() -> None:
    assert mask("电话13812345678，" * 6_000) == "电话〔电话〕，" * 6_000
