"""The Chinese sentence of each step, and which steps and words the public may see. No tables."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

import msgspec

from casework import events as did
from casework.clock_words import limit_in_words
from casework.errors import when
from casework.log.port import UnknownEvent
from casework.model import Limit, Outcome, PlaceKind, Solved
from projections.tables import micros, moment

OUTCOMES: dict[Outcome, str] = {
    Outcome.RECTIFIED: "已整改",
    Outcome.PERSUADED: "已劝导撤离",
    Outcome.NOT_FOUND: "现场未发现",
    Outcome.GONE: "已自行消除",
}
SOLVED: dict[Solved, str] = {Solved.YES: "已解决", Solved.PARTLY: "部分解决", Solved.NO: "未解决"}

SENTENCES: dict[str, str] = {
    "report-submitted": "收到上报，编号{number}。",
    "information-requested": "请反映人补充说明（{code}）。",
    "information-supplied": "反映人补充了说明。",
    "information-lapsed": "逾期未收到补充说明，恢复审核。",
    "information-added": "反映人追加了信息。",
    "reporter-joined": "又有市民反映同一问题。",
    "reporter-left": "一名反映人退出。",
    "case-withdrawn": "反映人撤回上报。",
    "case-registered": "审核通过，予以立案。",
    "case-refused": "不予受理（{code}）。",
    "refusal-objected": "反映人对不予受理提出异议。",
    "case-merged": "并入案件{primary_number}。",
    "case-absorbed": "案件{secondary_number}并入本案。",
    "case-unmerged": "从主案中拆分，恢复审核。",
    "case-released": "一个并入的案件已拆出。",
    "revocation-requested": "申请撤销立案（{code}），待督办员确认。",
    "registration-revoked": "立案已撤销（{code}），不予受理。",
    "case-reclassified": "问题类别更正为{indicator}。",
    "place-corrected": "位置已更正。",
    "case-dispatched": "派遣至{street}，时限{limit}，应于{due_at}前处置。",
    "case-recalled": "撤回对{street}的派遣。",
    "case-acknowledged": "{street}已签收。",
    "return-requested": "{street}申请退回（{code}）。",
    "return-accepted": "同意{street}退回（{code}），待重新派遣。",
    "return-rejected": "驳回退回申请（{code}）。",
    "handler-assigned": "已指派经办人。",
    "coordination-requested": "{street}提请协调（{code}）。",
    "co-handler-named": "确定协办单位{body}，协办时限{limit}，应于{due_at}前完成。",
    "extension-requested": "{street}申请延期{by}（{code}）。",
    "extension-granted": "同意延期{by}，新的期限为{due_at}。",
    "extension-denied": "不同意延期，原期限不变。",
    "suspension-requested": "{street}申请挂账至{resume_on}（{code}）。",
    "case-suspended": "暂缓处置，{resume_on}恢复（{code}）。",
    "suspension-denied": "不同意挂账，继续处置。",
    "case-resumed": "恢复处置，应于{due_at}前完成。",
    "case-rectified": "{street}反馈整改结果: {outcome}，待核查。",
    "site-check-requested": "要求现场核查。",
    "site-check-reported": "核查员反馈了现场情况。",
    "rework-ordered": "整改未达标，退回返工（{code}）。",
    "rectification-unreadable": "整改照片均无法读取，退回处置（{code}），请重新上传。",
    "case-closed": "核查通过，案件办结，请评价。",
    "transfer-requested": "申请转办{body}，待第二人确认。",
    "case-transferred": "已转办{body}，对方编号{number}。",
    "force-close-requested": "申请强制结案（{code}），待另一名督办员确认。",
    "case-force-closed": "案件强制结案（{code}）。",
    "second-person-declined": "第二人不同意该申请，案件维持原状。",
    "citizen-notified": "办理结果已送达反映人。",
    "case-rated": "反映人评价: {solved}，满意度{satisfaction}分，处置效率{efficiency}分。",
    "recheck-opened": "反映人认为问题未完全解决，进入复核。",
    "case-completed": "反映人均认为已解决，案件归档。",
    "rating-lapsed": "评价期满，案件归档。",
    "visit-recorded": "已回访反映人。",
    "recheck-upheld": "复核后维持结案（{code}），案件归档。",
    "case-reopened": "第{round}轮重办（{code}），派遣至{street}，时限{limit}，应于{due_at}前处置。",
    "appeal-made": "{street}提出申诉（{code}）。",
    "appeal-upheld": "申诉成立（{code}）。",
    "appeal-dismissed": "申诉不成立（{code}）。",
    "instruction-noted": "督办第{note}号，须答复。",
    "instruction-answered": "已答复督办第{note}号。",
    "case-claimed": "领办至{until}。",
    "claim-released": "取消领办。",
    "due-times-settled": "放假安排已公布，暂定的到期时间改为确定。",
    "special-periods-applied": "因{names}特殊时段调整时限，应于{due_at}前完成。",
}
"""One for each stored name; what stands in braces is a field of the event."""

PUBLIC = frozenset(
    {
        "report-submitted",
        "information-requested",
        "information-supplied",
        "information-lapsed",
        "information-added",
        "case-withdrawn",
        "case-registered",
        "case-refused",
        "refusal-objected",
        "case-merged",
        "case-unmerged",
        "registration-revoked",
        "case-reclassified",
        "place-corrected",
        "case-dispatched",
        "case-recalled",
        "case-acknowledged",
        "return-accepted",
        "extension-granted",
        "case-suspended",
        "case-resumed",
        "case-rectified",
        "rework-ordered",
        "rectification-unreadable",
        "case-closed",
        "case-transferred",
        "case-force-closed",
        "recheck-opened",
        "case-completed",
        "rating-lapsed",
        "recheck-upheld",
        "case-reopened",
        "special-periods-applied",
    }
)
"""Steps that the reporter is shown: where the case went, not how the desks talked about it."""

FOR_REPORTER = frozenset({"information-requested", "case-refused", "case-closed"})
"""Steps whose words are addressed to the reporter."""

_NAMED: dict[type[msgspec.Struct], tuple[str, ...]] = {
    did.ReportSubmitted: ("number",),
    did.CaseMerged: ("primary_number",),
    did.CaseAbsorbed: ("secondary_number",),
    did.CaseReclassified: ("indicator",),
    did.CaseDispatched: ("limit", "due_at"),
    did.CoHandlerNamed: ("body", "limit", "due_at"),
    did.ExtensionRequested: ("by",),
    did.ExtensionGranted: ("by", "due_at"),
    did.SuspensionRequested: ("resume_on",),
    did.CaseSuspended: ("resume_on",),
    did.CaseResumed: ("due_at",),
    did.CaseRectified: ("outcome",),
    did.TransferRequested: ("body",),
    did.CaseTransferred: ("body", "number"),
    did.CaseRated: ("solved", "satisfaction", "efficiency"),
    did.CaseReopened: ("round", "limit", "due_at"),
    did.InstructionNoted: ("note",),
    did.InstructionAnswered: ("note",),
    did.CaseClaimed: ("until",),
    did.SpecialPeriodsApplied: ("names", "due_at"),
}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, int | str]).decode


def _plain(value: object) -> int | str:
    """What the sentence says of a value; moments stay numbers until they are read."""
    match value:
        case datetime():
            return micros(value)
        case Limit():
            return limit_in_words(value)
        case Outcome():
            return OUTCOMES[value]
        case Solved():
            return SOLVED[value]
        case date():
            return f"{value:%Y年%m月%d日}"
        case int():
            return value
        case _:
            return str(value)


def details_of(event: msgspec.Struct) -> str | None:
    """The values that the event's sentence names, as JSON, or None."""
    assert not isinstance(event, UnknownEvent)
    named = _NAMED.get(type(event))
    if named is None:
        return None
    return _encode({name: _plain(getattr(event, name)) for name in named}).decode()


class _Blanks(dict[str, object]):
    """Fields of a sentence; what an event left out is said in words, not as an error."""

    def __missing__(self, key: str) -> str:
        return "有关街镇" if key == "street" else "未注明"


_MOMENTS = ("due_at", "until")


def sentence(
    name: str,
    street: str | None,
    code: str | None,
    details: str | None,
    street_name: Callable[[str], str],
) -> str:
    """The sentence of a step, from what the timeline kept of it."""
    said: Mapping[str, int | str] = _decode(details) if details else {}
    values = _Blanks(said)
    for key in _MOMENTS:
        if key in said:
            values[key] = when(moment(int(said[key])))
    if street is not None:
        values["street"] = street_name(street)
    if code is not None:
        values["code"] = code
    return SENTENCES[name].format_map(values)


PLACES: dict[PlaceKind, str] = {
    PlaceKind.COMPOUND: "小区公共区域",
    PlaceKind.MAIN_ROAD: "重点道路",
    PlaceKind.ROAD: "一般道路",
    PlaceKind.METRO_EXIT: "地铁出入口",
    PlaceKind.GREEN: "绿地公园",
    PlaceKind.WATER: "水面岸线",
    PlaceKind.CAMPUS: "校园",
    PlaceKind.MARKET: "市场商圈",
    PlaceKind.SQUARE: "广场",
    PlaceKind.OTHER: "其他",
    PlaceKind.INDOOR: "楼道内、室内（不受理）",
}
