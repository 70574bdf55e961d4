"""工作日志: what was done on a day, by desk, told from the log alone. Knows no account by name."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import msgspec

from casework import desks
from casework.clocks import SHANGHAI
from casework.events import STORED_AS
from casework.lifecycle import ROLE_NAMES
from casework.log.port import Recorded
from casework.model import Actor, ActorKind
from projections.reports.document import Column, Drawing, Draws, Heading, Kind, Part, Table

STEPS: dict[str, str] = {
    "report-submitted": "上报",
    "information-requested": "请求补充",
    "information-supplied": "补充说明",
    "information-lapsed": "逾期未补充",
    "information-added": "追加信息",
    "reporter-joined": "我也遇到",
    "reporter-left": "退出反映",
    "case-withdrawn": "撤回上报",
    "case-registered": "立案",
    "case-refused": "不予受理",
    "refusal-objected": "提出异议",
    "case-merged": "并案",
    "case-absorbed": "并入本案",
    "case-unmerged": "拆分",
    "case-released": "拆出",
    "revocation-requested": "申请撤销立案",
    "registration-revoked": "撤销立案",
    "case-reclassified": "改类",
    "place-corrected": "更正位置",
    "case-dispatched": "派遣",
    "case-recalled": "撤回派遣",
    "case-acknowledged": "签收",
    "return-requested": "申请退回",
    "return-accepted": "同意退回",
    "return-rejected": "驳回退回",
    "handler-assigned": "指派经办人",
    "coordination-requested": "提请协调",
    "co-handler-named": "确定协办单位",
    "extension-requested": "申请延期",
    "extension-granted": "同意延期",
    "extension-denied": "不同意延期",
    "suspension-requested": "申请挂账",
    "case-suspended": "挂账",
    "suspension-denied": "不同意挂账",
    "case-resumed": "恢复处置",
    "case-rectified": "整改反馈",
    "site-check-requested": "要求现场核查",
    "site-check-reported": "反馈现场核查",
    "rework-ordered": "返工",
    "rectification-unreadable": "整改照片不能读取，退回",
    "case-closed": "结案",
    "transfer-requested": "申请转办",
    "case-transferred": "转办",
    "force-close-requested": "申请强制结案",
    "case-force-closed": "强制结案",
    "second-person-declined": "第二人不同意",
    "citizen-notified": "告知反映人",
    "case-rated": "评价",
    "recheck-opened": "进入复核",
    "case-completed": "归档",
    "rating-lapsed": "评价期满归档",
    "visit-recorded": "回访",
    "recheck-upheld": "复核维持结案",
    "case-reopened": "重办",
    "appeal-made": "申诉",
    "appeal-upheld": "申诉成立",
    "appeal-dismissed": "申诉不成立",
    "instruction-noted": "督办",
    "instruction-answered": "答复督办",
    "case-claimed": "领办",
    "claim-released": "释放领办",
    "due-times-settled": "暂定时限确定",
    "special-periods-applied": "计入特殊时段",
}
"""Stored name of a fact of a case → what was done, in a word or two."""

STORED_NAMES: dict[type[msgspec.Struct], str] = {kind: name for name, kind in STORED_AS.items()}

KINDS = {
    ActorKind.CITIZEN: "市民",
    ActorKind.PARTNER: "接入方",
    ActorKind.CLOCK: "时钟（系统）",
    ActorKind.DISPATCHER: "派遣引擎（系统）",
}


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted: steps by desk and kind, cases and accounts by desk, steps by hour."""

    steps: dict[str, Counter[str]]
    cases: dict[str, int]
    accounts: dict[str, int]
    hours: tuple[int, ...]


def desk_of(actor: Actor, street_name: Callable[[str], str]) -> str:
    """Where the actor works: a 街镇, or the roles that it holds."""
    if actor.kind is not ActorKind.STAFF:
        return KINDS[actor.kind]
    if actor.street is not None and actor.holds(*desks.STREET_ROLES):
        return street_name(actor.street)
    return "、".join(ROLE_NAMES[role] for role in actor.roles) or "工作人员"


def day_of(happened: Iterable[Recorded], street_name: Callable[[str], str]) -> Day:
    """Count the facts of cases among what happened."""
    steps: dict[str, Counter[str]] = defaultdict(Counter)
    cases: dict[str, set[object]] = defaultdict(set)
    accounts: dict[str, set[str]] = defaultdict(set)
    hours = [0] * 24
    for recorded in happened:
        name = STORED_NAMES.get(type(recorded.event))
        if name is None:
            continue
        desk = desk_of(recorded.actor, street_name)
        steps[desk][name] += 1
        cases[desk].add(recorded.stream)
        hours[recorded.at.astimezone(SHANGHAI).hour] += 1
        if recorded.actor.kind is ActorKind.STAFF:
            accounts[desk].add(recorded.actor.id)
    return Day(
        steps=dict(steps),
        cases={desk: len(found) for desk, found in cases.items()},
        accounts={desk: len(found) for desk, found in accounts.items()},
        hours=tuple(hours),
    )


def work_log_parts(day: Day) -> tuple[Part, ...]:
    """The report without its head."""
    order = sorted(day.steps, key=lambda desk: (-day.steps[desk].total(), desk))
    return (
        Heading("一、各工作台"),
        Table(
            title="办理步数",
            columns=(
                Column("工作台", share=2), Column("步数", Kind.COUNT),
                Column("涉及案件", Kind.COUNT), Column("在岗办理账号", Kind.COUNT),
            ),
            rows=tuple(
                (desk, day.steps[desk].total(), day.cases[desk], day.accounts.get(desk))
                for desk in order
            ),
            drawing=Drawing(how=Draws.BARS, title="各工作台办理步数", label=0, values=(1,)),
            note="每一步为事件日志中的一条记录；涉及案件、账号只计不同的。",
            empty="当天没有办理记录。",
        ),
        Table(
            title="全天分布",
            columns=(Column("时刻"), Column("步数", Kind.COUNT)),
            rows=tuple((f"{hour:02}时", n) for hour, n in enumerate(day.hours)),
            drawing=Drawing(how=Draws.LINES, title="每小时步数", label=0, values=(1,)),
        ),
        Heading("二、做了什么"),
        Table(
            title="各工作台各类步骤",
            columns=(Column("工作台"), Column("步骤"), Column("次数", Kind.COUNT)),
            rows=tuple(
                (desk, STEPS[name], n)
                for desk in order
                for name, n in sorted(day.steps[desk].items(), key=lambda kv: (-kv[1], kv[0]))
            ),
            empty="当天没有办理记录。",
        ),
    )  # fmt: skip
