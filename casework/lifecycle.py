"""The one table: the statuses of a case, every action, from where to where, by whom, with what.

The diagram in docs/lifecycle.md, the buttons, the words in the API's description and the tests
derive from `TABLE`. `transitions` holds the machine; it is asked, never told: it is built once
and compiled to `RULES`, one look-up a question. The table knows roles and relations, not times
or counts; those are in `casework.decisions`.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from transitions import Machine

from casework import commands as ask
from casework import events as did
from casework.model import Clock, Role


class Status(StrEnum):
    NEW = "new"
    SUBMITTED = "submitted"
    AWAITING_INFORMATION = "awaiting_information"
    REGISTERED = "registered"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    RECTIFIED = "rectified"
    CLOSED = "closed"
    UNDER_RECHECK = "under_recheck"
    COMPLETED = "completed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


class Label(NamedTuple):
    """What a status is called at the desk and to the citizen."""

    staff: str
    citizen: str


LABELS: dict[Status, Label] = {
    Status.NEW: Label("未上报", "未上报"),
    Status.SUBMITTED: Label("待审核", "审核中"),
    Status.AWAITING_INFORMATION: Label("待补充", "请您补充"),
    Status.REGISTERED: Label("待派遣", "已立案"),
    Status.DISPATCHED: Label("待签收", "已派{street}"),
    Status.HANDLING: Label("处置中", "处置中(预计{due}前)"),
    Status.SUSPENDED: Label("挂账", "暂缓处置"),
    Status.RECTIFIED: Label("待核查", "整改待核查"),
    Status.CLOSED: Label("已结案·待评价", "已结案·请评价"),
    Status.UNDER_RECHECK: Label("待复核", "复核中"),
    Status.COMPLETED: Label("已归档", "已归档"),
    Status.REFUSED: Label("不予受理", "未受理({reason})"),
    Status.WITHDRAWN: Label("已撤回", "已撤回"),
    Status.MERGED: Label("已并案", "已并入{primary}"),
}

OPEN = frozenset(
    {
        Status.SUBMITTED,
        Status.AWAITING_INFORMATION,
        Status.REGISTERED,
        Status.DISPATCHED,
        Status.HANDLING,
        Status.SUSPENDED,
        Status.RECTIFIED,
        Status.CLOSED,
        Status.UNDER_RECHECK,
    }
)
"""Someone still has a move (在办)."""

BEFORE_CLOSING = OPEN - {Status.CLOSED, Status.UNDER_RECHECK}
"""submitted … rectified."""


class Relation(StrEnum):
    """How the actor must stand to the case."""

    ANYONE = "anyone"
    REPORTER = "reporter"
    NOT_REPORTER = "not_reporter"
    OWN_STREET = "own_street"
    OTHER_STREET = "other_street"


class Action(StrEnum):
    SUBMIT = "submit"
    REQUEST_INFORMATION = "request_information"
    SUPPLY_INFORMATION = "supply_information"
    LAPSE_INFORMATION = "lapse_information"
    ADD_INFORMATION = "add_information"
    JOIN = "join"
    WITHDRAW = "withdraw"
    REGISTER = "register"
    REFUSE = "refuse"
    OBJECT = "object"
    MERGE = "merge"
    UNMERGE = "unmerge"
    REVOKE_REGISTRATION = "revoke_registration"
    CONFIRM_REVOCATION = "confirm_revocation"
    RECLASSIFY = "reclassify"
    CORRECT_PLACE = "correct_place"
    DISPATCH = "dispatch"
    DESIGNATE = "designate"
    RECALL = "recall"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    REQUEST_RETURN = "request_return"
    ACCEPT_RETURN = "accept_return"
    REJECT_RETURN = "reject_return"
    REQUEST_COORDINATION = "request_coordination"
    NAME_CO_HANDLER = "name_co_handler"
    REQUEST_EXTENSION = "request_extension"
    GRANT_EXTENSION = "grant_extension"
    DENY_EXTENSION = "deny_extension"
    REQUEST_SUSPENSION = "request_suspension"
    GRANT_SUSPENSION = "grant_suspension"
    DENY_SUSPENSION = "deny_suspension"
    RESUME = "resume"
    RECTIFY = "rectify"
    REQUEST_SITE_CHECK = "request_site_check"
    REPORT_SITE_CHECK = "report_site_check"
    ORDER_REWORK = "order_rework"
    HAND_BACK_UNREADABLE = "hand_back_unreadable"
    CLOSE = "close"
    TRANSFER_OUT = "transfer_out"
    CONFIRM_TRANSFER_OUT = "confirm_transfer_out"
    REQUEST_FORCE_CLOSE = "request_force_close"
    CONFIRM_FORCE_CLOSE = "confirm_force_close"
    DECLINE_SECOND = "decline_second"
    NOTIFY = "notify"
    RATE = "rate"
    LAPSE_RATING = "lapse_rating"
    SETTLE_DUE_TIMES = "settle_due_times"
    APPLY_SPECIAL_PERIODS = "apply_special_periods"
    RECORD_VISIT = "record_visit"
    UPHOLD = "uphold"
    REOPEN = "reopen"
    SUPERVISE_REOPEN = "supervise_reopen"
    APPEAL = "appeal"
    UPHOLD_APPEAL = "uphold_appeal"
    DISMISS_APPEAL = "dismiss_appeal"
    NOTE = "note"
    ANSWER_NOTE = "answer_note"
    CLAIM = "claim"
    RELEASE = "release"


class Row(NamedTuple):
    """One row of the table. `to` holds the possible ends; None in it means: stays."""

    action: Action
    name: str
    sources: frozenset[Status]
    to: tuple[Status | None, ...]
    by: tuple[Role, ...]
    needs: str
    family: str = ""
    relation: Relation = Relation.ANYONE


_S = Status
_STAYS: tuple[Status | None, ...] = (None,)
_CITIZEN = (Role.CITIZEN,)
_REVIEWER = (Role.REVIEWER,)
_STREET = (Role.STREET, Role.STREET_LEAD)
_SUPERVISOR = (Role.SUPERVISOR,)
_CLOCK = (Role.CLOCK,)
_WITH_STREET = frozenset({_S.DISPATCHED, _S.HANDLING})
_RATED = frozenset({_S.CLOSED, _S.UNDER_RECHECK, _S.COMPLETED})
_ENDED = frozenset({_S.CLOSED, _S.COMPLETED})
_ONCE_ENDED = frozenset(Status) - {_S.NEW}
"""Wherever a case has gone since an appeal was made: the appeal is still to be decided."""
_DESK_OF_REVIEWER = frozenset(
    {
        _S.SUBMITTED,
        _S.AWAITING_INFORMATION,
        _S.REGISTERED,
        _S.RECTIFIED,
        _S.CLOSED,
        _S.UNDER_RECHECK,
    }
)
_DESK_OF_STREET = frozenset({_S.DISPATCHED, _S.HANDLING, _S.SUSPENDED})


def _from(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


_OWN = Relation.OWN_STREET
_A = Action

TABLE: tuple[Row, ...] = (
    Row(
        _A.SUBMIT,
        "上报",
        _from(_S.NEW),
        (_S.SUBMITTED,),
        (Role.CITIZEN, Role.REVIEWER, Role.STREET, Role.STREET_LEAD, Role.PARTNER),
        "位置、场所类型，指标或文字或录音，至少一张照片或无照片原因",
    ),
    Row(
        _A.REQUEST_INFORMATION,
        "要求补充",
        _from(_S.SUBMITTED),
        (_S.AWAITING_INFORMATION,),
        _REVIEWER,
        "Q 类代码和问题；每案最多两次",
        "Q",
    ),
    Row(
        _A.SUPPLY_INFORMATION,
        "补充说明",
        _from(_S.AWAITING_INFORMATION),
        (_S.SUBMITTED,),
        _CITIZEN,
        "文字或照片",
        relation=Relation.REPORTER,
    ),
    Row(
        _A.LAPSE_INFORMATION,
        "逾期未补充",
        _from(_S.AWAITING_INFORMATION),
        (_S.SUBMITTED,),
        _CLOCK,
        "要求补充满48小时",
    ),
    Row(
        _A.ADD_INFORMATION,
        "追加信息",
        BEFORE_CLOSING,
        _STAYS,
        _CITIZEN,
        "文字或照片；案件标记有新补充",
        relation=Relation.REPORTER,
    ),
    Row(
        _A.JOIN,
        "我也遇到",
        BEFORE_CLOSING,
        _STAYS,
        _CITIZEN,
        "成为共同反映人，可看进度、可评价",
        relation=Relation.NOT_REPORTER,
    ),
    Row(
        _A.WITHDRAW,
        "撤回上报",
        _from(_S.SUBMITTED, _S.AWAITING_INFORMATION),
        (_S.WITHDRAWN, None),
        _CITIZEN,
        "唯一反映人撤回全案；多人反映时只退出本人",
        relation=Relation.REPORTER,
    ),
    Row(
        _A.REGISTER,
        "立案",
        _from(_S.SUBMITTED),
        (_S.REGISTERED, _S.DISPATCHED),
        _REVIEWER,
        "指标和立案条件；冻结指标和日历版本；属地明确时同时派遣",
    ),
    Row(
        _A.REFUSE,
        "不予受理",
        _from(_S.SUBMITTED),
        (_S.REFUSED,),
        _REVIEWER,
        "N 类代码和说明",
        "N",
    ),
    Row(
        _A.OBJECT,
        "提出异议",
        _from(_S.REFUSED),
        (_S.SUBMITTED,),
        _CITIZEN,
        "说明；5日内一次；由另一名审核员决定",
        relation=Relation.REPORTER,
    ),
    Row(
        _A.MERGE,
        "并案",
        _from(_S.SUBMITTED, _S.REGISTERED, _S.DISPATCHED, _S.HANDLING),
        (_S.MERGED,),
        _REVIEWER,
        "主案须在待审核至待核查之间；反映人保留进度和评价",
    ),
    Row(
        _A.UNMERGE,
        "拆分",
        _from(_S.MERGED),
        (_S.SUBMITTED,),
        _REVIEWER,
        "理由；主案在办期间",
    ),
    Row(
        _A.REVOKE_REGISTRATION,
        "申请撤销立案",
        _from(_S.REGISTERED),
        _STAYS,
        _REVIEWER,
        "X 类代码和说明；由督办员确认",
        "X",
    ),
    Row(
        _A.CONFIRM_REVOCATION,
        "确认撤销立案",
        _from(_S.REGISTERED),
        (_S.REFUSED,),
        _SUPERVISOR,
        "须为申请人以外的人",
    ),
    Row(
        _A.RECLASSIFY,
        "改类",
        _from(_S.SUBMITTED, _S.REGISTERED),
        _STAYS,
        _REVIEWER,
        "指标、立案条件和理由",
    ),
    Row(
        _A.RECLASSIFY,
        "改类",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "理由；已用时间保留，从首次派遣起按新时限计，原到期时间留作事实",
    ),
    Row(
        _A.CORRECT_PLACE,
        "更正位置",
        _from(_S.SUBMITTED, _S.REGISTERED),
        _STAYS,
        _REVIEWER,
        "位置和理由",
    ),
    Row(
        _A.CORRECT_PLACE,
        "更正位置",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "位置和理由",
    ),
    Row(
        _A.DISPATCH,
        "派遣",
        _from(_S.REGISTERED),
        (_S.DISPATCHED,),
        (Role.DISPATCHER, Role.REVIEWER),
        "街镇、把握程度、理由、边界版本、时限、到期时间",
    ),
    Row(
        _A.DESIGNATE,
        "指定派遣",
        _from(_S.REGISTERED),
        (_S.DISPATCHED,),
        _SUPERVISOR,
        "两次退回被接受之后；不得再退回（先处置后定责）",
    ),
    Row(
        _A.RECALL,
        "撤回派遣",
        _WITH_STREET,
        (_S.REGISTERED,),
        _REVIEWER,
        "理由",
    ),
    Row(
        _A.ACKNOWLEDGE,
        "签收",
        _from(_S.DISPATCHED),
        (_S.HANDLING,),
        _STREET,
        "无",
        relation=_OWN,
    ),
    Row(
        _A.ASSIGN,
        "指派",
        _from(_S.HANDLING),
        _STAYS,
        _STREET,
        "经办人；可附一次性上传链接",
        relation=_OWN,
    ),
    Row(
        _A.REQUEST_RETURN,
        "申请退回",
        _WITH_STREET,
        _STAYS,
        _STREET,
        "T 类代码；时限四分之一内且不超过4值守时；每次派遣一次；时钟不停",
        "T",
        _OWN,
    ),
    Row(
        _A.ACCEPT_RETURN,
        "同意退回",
        _WITH_STREET,
        (_S.REGISTERED,),
        _REVIEWER,
        "不再建议派往该街镇",
    ),
    Row(
        _A.REJECT_RETURN,
        "驳回退回",
        _WITH_STREET,
        _STAYS,
        _REVIEWER,
        "TR 类代码",
        "TR",
    ),
    Row(
        _A.REQUEST_COORDINATION,
        "提请协调",
        _from(_S.HANDLING),
        _STAYS,
        _STREET,
        "K 类代码",
        "K",
        _OWN,
    ),
    Row(
        _A.NAME_CO_HANDLER,
        "确定协办",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "协办单位和时限；街镇仍为主办",
    ),
    Row(
        _A.REQUEST_EXTENSION,
        "申请延期",
        _from(_S.HANDLING),
        _STAYS,
        _STREET,
        "E 类代码；到期前提出",
        "E",
        _OWN,
    ),
    Row(
        _A.GRANT_EXTENSION,
        "同意延期",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "有待决的延期申请",
    ),
    Row(
        _A.DENY_EXTENSION,
        "不同意延期",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "说明",
    ),
    Row(
        _A.REQUEST_SUSPENSION,
        "申请挂账",
        _from(_S.HANDLING),
        _STAYS,
        (Role.STREET_LEAD,),
        "S 类代码和恢复日期",
        "S",
        _OWN,
    ),
    Row(
        _A.GRANT_SUSPENSION,
        "同意挂账",
        _from(_S.HANDLING),
        (_S.SUSPENDED,),
        _SUPERVISOR,
        "有待决的挂账申请",
    ),
    Row(
        _A.DENY_SUSPENSION,
        "不同意挂账",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "说明",
    ),
    Row(
        _A.RESUME,
        "恢复处置",
        _from(_S.SUSPENDED),
        (_S.HANDLING,),
        (Role.CLOCK, Role.STREET, Role.STREET_LEAD, Role.SUPERVISOR),
        "到恢复日由时钟恢复，街镇或督办员可提前",
        relation=_OWN,
    ),
    Row(
        _A.RECTIFY,
        "整改反馈",
        _from(_S.HANDLING),
        (_S.RECTIFIED,),
        _STREET,
        "处置结果、至少一张照片、说明",
        relation=_OWN,
    ),
    Row(
        _A.REQUEST_SITE_CHECK,
        "要求现场核查",
        _from(_S.SUBMITTED, _S.RECTIFIED, _S.UNDER_RECHECK),
        _STAYS,
        _REVIEWER,
        "说明",
    ),
    Row(
        _A.REPORT_SITE_CHECK,
        "反馈现场核查",
        _from(_S.SUBMITTED, _S.RECTIFIED, _S.UNDER_RECHECK),
        _STAYS,
        (Role.CHECKER,),
        "发现情况；不得核查本人所在街镇",
        relation=Relation.OTHER_STREET,
    ),
    Row(
        _A.ORDER_REWORK,
        "返工",
        _from(_S.RECTIFIED),
        (_S.HANDLING,),
        _REVIEWER,
        "R 类代码；原材料保留",
        "R",
    ),
    Row(
        _A.HAND_BACK_UNREADABLE,
        "照片无法读取，退回处置",
        _from(_S.RECTIFIED),
        (_S.HANDLING,),
        _CLOCK,
        "整改照片全部无法读取；等待核查的时间按 R04 计入处置时间",
    ),
    Row(
        _A.CLOSE,
        "结案",
        _from(_S.RECTIFIED),
        (_S.CLOSED,),
        _REVIEWER,
        "勾选结案标准、看过核验提示、给市民的答复",
    ),
    Row(
        _A.TRANSFER_OUT,
        "申请转办",
        _from(_S.HANDLING),
        _STAYS,
        _SUPERVISOR,
        "接收单位和编号；由第二人确认",
    ),
    Row(
        _A.CONFIRM_TRANSFER_OUT,
        "确认转办",
        _from(_S.HANDLING),
        (_S.CLOSED,),
        (Role.SUPERVISOR, Role.REVIEWER),
        "须为申请人以外的人；不计为解决",
    ),
    Row(
        _A.REQUEST_FORCE_CLOSE,
        "申请强制结案",
        _from(_S.REGISTERED, _S.DISPATCHED, _S.HANDLING, _S.SUSPENDED),
        _STAYS,
        _SUPERVISOR,
        "F 类代码和说明；由另一名督办员确认",
        "F",
    ),
    Row(
        _A.CONFIRM_FORCE_CLOSE,
        "确认强制结案",
        _from(_S.REGISTERED, _S.DISPATCHED, _S.HANDLING, _S.SUSPENDED),
        (_S.CLOSED,),
        _SUPERVISOR,
        "须为申请人以外的督办员；不计入分子",
    ),
    Row(
        _A.DECLINE_SECOND,
        "不同意（第二人）",
        _from(_S.REGISTERED, _S.DISPATCHED, _S.HANDLING, _S.SUSPENDED),
        _STAYS,
        _SUPERVISOR,
        "说明；对撤销立案、转办、强制结案的申请",
    ),
    Row(_A.NOTIFY, "反馈送达", _from(_S.CLOSED), _STAYS, _CLOCK, "渠道、送达、已读"),
    Row(
        _A.RATE,
        "评价",
        _from(_S.CLOSED),
        (None, _S.UNDER_RECHECK, _S.COMPLETED),
        _CITIZEN,
        "是否解决、满意度、处置效率；每名反映人每轮一次；评价期内；首个未完全解决转复核，全部解决即归档",
        relation=Relation.REPORTER,
    ),
    Row(
        _A.RATE,
        "评价",
        _from(_S.UNDER_RECHECK, _S.COMPLETED),
        _STAYS,
        _CITIZEN,
        "其余反映人在评价期内的评价，只作记录",
        relation=Relation.REPORTER,
    ),
    Row(
        _A.LAPSE_RATING,
        "逾期未评价",
        _from(_S.CLOSED),
        (_S.COMPLETED,),
        _CLOCK,
        "评价期满",
    ),
    Row(
        _A.SETTLE_DUE_TIMES,
        "确定到期时间",
        _ONCE_ENDED,
        _STAYS,
        _CLOCK,
        "所涉年度的放假安排已公布；暂定的到期时间改为确定",
    ),
    Row(
        _A.APPLY_SPECIAL_PERIODS,
        "适用特殊时段",
        _WITH_STREET,
        _STAYS,
        _CLOCK,
        "特殊时段经两人宣布；原到期时间留作事实",
    ),
    Row(
        _A.RECORD_VISIT,
        "回访",
        _RATED,
        _STAYS,
        _REVIEWER,
        "说明；不得由街镇进行；不覆盖评价",
    ),
    Row(
        _A.UPHOLD,
        "维持结案",
        _from(_S.UNDER_RECHECK),
        (_S.COMPLETED,),
        _REVIEWER,
        "V0 类代码和证据；不得由结案人办理",
        "V0",
    ),
    Row(
        _A.REOPEN,
        "重办",
        _from(_S.UNDER_RECHECK),
        (_S.DISPATCHED,),
        (Role.REVIEWER, Role.SUPERVISOR),
        "V1 类代码；时限减半且不少于2值守时；自第三轮起由督办员决定",
        "V1",
    ),
    Row(
        _A.SUPERVISE_REOPEN,
        "督办重办",
        _from(_S.COMPLETED),
        (_S.DISPATCHED,),
        _SUPERVISOR,
        "归档90日内；发现虚假整改",
    ),
    Row(
        _A.APPEAL,
        "申诉",
        _ENDED,
        _STAYS,
        (Role.STREET_LEAD,),
        "A 类代码；结案后5个工作日内一次",
        "A",
        _OWN,
    ),
    Row(
        _A.UPHOLD_APPEAL,
        "申诉成立",
        _ONCE_ENDED,
        _STAYS,
        _SUPERVISOR,
        "只作统计剔除，不改事实",
    ),
    Row(
        _A.DISMISS_APPEAL,
        "申诉不成立",
        _ONCE_ENDED,
        _STAYS,
        _SUPERVISOR,
        "AD 类代码",
        "AD",
    ),
    Row(_A.NOTE, "督办", OPEN, _STAYS, _SUPERVISOR, "须答复的指示"),
    Row(
        _A.ANSWER_NOTE,
        "答复督办",
        OPEN,
        _STAYS,
        (Role.STREET, Role.STREET_LEAD, Role.REVIEWER),
        "答复内容",
        relation=_OWN,
    ),
    Row(_A.CLAIM, "领办", _DESK_OF_REVIEWER, _STAYS, _REVIEWER, "15分钟后自动失效"),
    Row(
        _A.CLAIM,
        "领办",
        _DESK_OF_STREET,
        _STAYS,
        _STREET,
        "15分钟后自动失效",
        relation=_OWN,
    ),
    Row(_A.RELEASE, "取消领办", _DESK_OF_REVIEWER, _STAYS, _REVIEWER, "本人的领办"),
    Row(
        _A.RELEASE,
        "取消领办",
        _DESK_OF_STREET,
        _STAYS,
        _STREET,
        "本人的领办",
        relation=_OWN,
    ),
)

ACTION_OF: dict[type[ask.Command], Action] = {
    ask.Submit: _A.SUBMIT,
    ask.RequestInformation: _A.REQUEST_INFORMATION,
    ask.SupplyInformation: _A.SUPPLY_INFORMATION,
    ask.LapseInformation: _A.LAPSE_INFORMATION,
    ask.AddInformation: _A.ADD_INFORMATION,
    ask.Join: _A.JOIN,
    ask.Withdraw: _A.WITHDRAW,
    ask.Register: _A.REGISTER,
    ask.Refuse: _A.REFUSE,
    ask.Object: _A.OBJECT,
    ask.Merge: _A.MERGE,
    ask.Unmerge: _A.UNMERGE,
    ask.RevokeRegistration: _A.REVOKE_REGISTRATION,
    ask.ConfirmRevocation: _A.CONFIRM_REVOCATION,
    ask.Reclassify: _A.RECLASSIFY,
    ask.CorrectPlace: _A.CORRECT_PLACE,
    ask.Dispatch: _A.DISPATCH,
    ask.Designate: _A.DESIGNATE,
    ask.Recall: _A.RECALL,
    ask.Acknowledge: _A.ACKNOWLEDGE,
    ask.Assign: _A.ASSIGN,
    ask.RequestReturn: _A.REQUEST_RETURN,
    ask.AcceptReturn: _A.ACCEPT_RETURN,
    ask.RejectReturn: _A.REJECT_RETURN,
    ask.RequestCoordination: _A.REQUEST_COORDINATION,
    ask.NameCoHandler: _A.NAME_CO_HANDLER,
    ask.RequestExtension: _A.REQUEST_EXTENSION,
    ask.GrantExtension: _A.GRANT_EXTENSION,
    ask.DenyExtension: _A.DENY_EXTENSION,
    ask.RequestSuspension: _A.REQUEST_SUSPENSION,
    ask.GrantSuspension: _A.GRANT_SUSPENSION,
    ask.DenySuspension: _A.DENY_SUSPENSION,
    ask.Resume: _A.RESUME,
    ask.Rectify: _A.RECTIFY,
    ask.RequestSiteCheck: _A.REQUEST_SITE_CHECK,
    ask.ReportSiteCheck: _A.REPORT_SITE_CHECK,
    ask.OrderRework: _A.ORDER_REWORK,
    ask.HandBackUnreadable: _A.HAND_BACK_UNREADABLE,
    ask.Close: _A.CLOSE,
    ask.TransferOut: _A.TRANSFER_OUT,
    ask.ConfirmTransferOut: _A.CONFIRM_TRANSFER_OUT,
    ask.RequestForceClose: _A.REQUEST_FORCE_CLOSE,
    ask.ConfirmForceClose: _A.CONFIRM_FORCE_CLOSE,
    ask.DeclineSecond: _A.DECLINE_SECOND,
    ask.Notify: _A.NOTIFY,
    ask.Rate: _A.RATE,
    ask.LapseRating: _A.LAPSE_RATING,
    ask.SettleDueTimes: _A.SETTLE_DUE_TIMES,
    ask.ApplySpecialPeriods: _A.APPLY_SPECIAL_PERIODS,
    ask.RecordVisit: _A.RECORD_VISIT,
    ask.Uphold: _A.UPHOLD,
    ask.Reopen: _A.REOPEN,
    ask.SuperviseReopen: _A.SUPERVISE_REOPEN,
    ask.Appeal: _A.APPEAL,
    ask.UpholdAppeal: _A.UPHOLD_APPEAL,
    ask.DismissAppeal: _A.DISMISS_APPEAL,
    ask.Note: _A.NOTE,
    ask.AnswerNote: _A.ANSWER_NOTE,
    ask.Claim: _A.CLAIM,
    ask.Release: _A.RELEASE,
}

STATUS_AFTER: dict[type[did.Event], Status] = {
    did.ReportSubmitted: _S.SUBMITTED,
    did.InformationRequested: _S.AWAITING_INFORMATION,
    did.InformationSupplied: _S.SUBMITTED,
    did.InformationLapsed: _S.SUBMITTED,
    did.CaseWithdrawn: _S.WITHDRAWN,
    did.CaseRegistered: _S.REGISTERED,
    did.CaseRefused: _S.REFUSED,
    did.RefusalObjected: _S.SUBMITTED,
    did.CaseMerged: _S.MERGED,
    did.CaseUnmerged: _S.SUBMITTED,
    did.RegistrationRevoked: _S.REFUSED,
    did.CaseDispatched: _S.DISPATCHED,
    did.CaseRecalled: _S.REGISTERED,
    did.CaseAcknowledged: _S.HANDLING,
    did.ReturnAccepted: _S.REGISTERED,
    did.CaseSuspended: _S.SUSPENDED,
    did.CaseResumed: _S.HANDLING,
    did.CaseRectified: _S.RECTIFIED,
    did.ReworkOrdered: _S.HANDLING,
    did.RectificationUnreadable: _S.HANDLING,
    did.CaseClosed: _S.CLOSED,
    did.CaseTransferred: _S.CLOSED,
    did.CaseForceClosed: _S.CLOSED,
    did.RecheckOpened: _S.UNDER_RECHECK,
    did.CaseCompleted: _S.COMPLETED,
    did.RatingLapsed: _S.COMPLETED,
    did.RecheckUpheld: _S.COMPLETED,
    did.CaseReopened: _S.DISPATCHED,
}
"""Where a case stands once an event has happened; an event not listed moves nothing.

Read by the case and by the read models alike, and never checked against the table: what has
happened has happened, whatever the rules say today.
"""

CLOCK_OF: dict[Action, Clock] = {
    Action.REQUEST_RETURN: Clock.RETURN,
    Action.REQUEST_COORDINATION: Clock.COORDINATION,
    Action.REQUEST_EXTENSION: Clock.EXTENSION,
    Action.REQUEST_SUSPENSION: Clock.SUSPENSION,
    Action.REQUEST_SITE_CHECK: Clock.SITE_CHECK,
    Action.REVOKE_REGISTRATION: Clock.SECOND_PERSON,
    Action.TRANSFER_OUT: Clock.SECOND_PERSON,
    Action.REQUEST_FORCE_CLOSE: Clock.SECOND_PERSON,
    Action.APPEAL: Clock.APPEAL,
}
"""A request is open exactly as long as its clock runs: nothing waits unseen."""

MACHINE = Machine(
    model=None,
    states=[str(s) for s in Status],
    transitions=[
        {"trigger": str(row.action), "source": str(source), "dest": str(dest) if dest else None}
        for row in TABLE
        for source in sorted(row.sources)
        for dest in row.to
    ],
    initial=str(Status.NEW),
    auto_transitions=False,
)


class Rule(NamedTuple):
    """The compiled answer for a status and an action: the row, and where it may lead."""

    row: Row
    to: frozenset[Status]


def _compile() -> MappingProxyType[tuple[Status, Action], Rule]:
    row_of = {(source, row.action): row for row in TABLE for source in row.sources}
    rules: dict[tuple[Status, Action], Rule] = {}
    for trigger, event in MACHINE.events.items():
        for source, arrows in event.transitions.items():
            key = (Status(source), Action(trigger))
            ends = frozenset(Status(a.dest or source) for a in arrows)
            rules[key] = Rule(row_of[key], ends)
    return MappingProxyType(rules)


RULES = _compile()
"""(status, action) -> Rule, read off the machine once."""

NAME_OF: dict[Action, str] = {row.action: row.name for row in TABLE}
ROLE_NAMES: dict[Role, str] = {
    Role.CITIZEN: "市民",
    Role.REVIEWER: "审核员",
    Role.STREET: "街镇经办",
    Role.STREET_LEAD: "街镇负责人",
    Role.CHECKER: "核查员",
    Role.SUPERVISOR: "督办员",
    Role.EDITOR: "融媒编辑",
    Role.ANALYST: "分析员",
    Role.PARTNER: "接入方",
    Role.SYSADMIN: "系统管理员",
    Role.SECADMIN: "安全管理员",
    Role.AUDITOR: "审计员",
    Role.CLOCK: "时钟",
    Role.DISPATCHER: "派遣引擎",
}
ROWS_OF: dict[Action, tuple[Row, ...]] = {
    action: tuple(row for row in TABLE if row.action is action) for action in Action
}
_BY_STATUS: dict[Status, tuple[Row, ...]] = {
    status: tuple(row for row in TABLE if status in row.sources) for status in Status
}


def rows_from(status: Status) -> tuple[Row, ...]:
    """The rows that start at a status, in the order of the table."""
    return _BY_STATUS[status]
