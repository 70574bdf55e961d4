"""Who may do what: one policy table. A route without a row here does not start the app.

Rows say who may ask (role, anonymous, holder of a receipt, partner with a scope) and in which
form words are shown. How an actor must stand to a case is asked of the case itself: by the life
cycle's table for actions, by `may_see` for looking. "Not yours" and "not there" get one answer.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from api.accounts.principal import Principal, PrincipalKind
from api.accounts.receipts import Receipts
from api.problems import ProblemError, problem_error
from casework.errors import NotPermitted, UnknownCase
from casework.lifecycle import ROLE_NAMES, TABLE, Action, Status
from casework.model import Actor, ActorKind, Role
from casework.state import Case


class Who(StrEnum):
    """Those who hold no role of an account."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    """An account of a citizen or of staff, also one that holds no role yet."""
    ANONYMOUS = "anonymous"
    RECEIPT = "receipt"
    LINK = "link"


class Words(StrEnum):
    """In which form words of persons are shown."""

    NONE = "none"
    OWN = "own"
    MASKED = "masked"
    ORIGINAL = "original"


class Policy(NamedTuple):
    """A row: an operation, who may ask for it, the scope a partner needs, the form of words."""

    operation: str
    what: str
    who: frozenset[Role | Who]
    scope: str = ""
    words: Words = Words.NONE


READS = "cases:read"
REPORTS = "reports:write"
MOVES = "cases:act"

_R = Role
_ALL: frozenset[Role | Who] = frozenset({Who.ANYONE})
_REPORTERS: frozenset[Role | Who] = frozenset(
    {Who.ANONYMOUS, _R.CITIZEN, _R.REVIEWER, _R.STREET, _R.STREET_LEAD, _R.PARTNER}
)
_UPLOADERS: frozenset[Role | Who] = _REPORTERS | {Who.RECEIPT, _R.CHECKER}
_DESKS: frozenset[Role | Who] = frozenset(
    {
        _R.REVIEWER,
        _R.STREET,
        _R.STREET_LEAD,
        _R.CHECKER,
        _R.SUPERVISOR,
        _R.EDITOR,
        _R.ANALYST,
    }
)
_STAFF: frozenset[Role | Who] = _DESKS | {_R.SYSADMIN, _R.SECADMIN, _R.AUDITOR}
_LOOKERS: frozenset[Role | Who] = _DESKS | {_R.CITIZEN, _R.PARTNER, Who.RECEIPT}
_LISTENERS: frozenset[Role | Who] = frozenset(
    {_R.REVIEWER, _R.SUPERVISOR, _R.STREET, _R.STREET_LEAD, _R.CITIZEN, _R.PARTNER, Who.RECEIPT}
)
_CODE_HOLDERS: frozenset[Role | Who] = frozenset(
    {_R.REVIEWER, _R.STREET, _R.STREET_LEAD, _R.SYSADMIN}
)
_OWN: frozenset[Role | Who] = frozenset({_R.CITIZEN, Who.RECEIPT})
"""Those whose own case it may be."""
_SEATED: frozenset[Role | Who] = frozenset({_R.REVIEWER, _R.SUPERVISOR, _R.STREET, _R.STREET_LEAD})
"""Those whose work lies on a desk that is manned by turns."""
_MEASURERS: frozenset[Role | Who] = frozenset({_R.ANALYST, _R.SUPERVISOR})
_EXPORTERS = _MEASURERS | {_R.STREET_LEAD}
_TRIERS: frozenset[Role | Who] = frozenset({_R.SYSADMIN, _R.SUPERVISOR, _R.ANALYST})
_OVERSEERS: frozenset[Role | Who] = frozenset({_R.ANALYST, _R.SUPERVISOR})
"""Those who look at the whole district."""
_CONFIGURE: frozenset[Role | Who] = frozenset({_R.SYSADMIN, _R.SUPERVISOR})


def _row(
    operation: str,
    what: str,
    who: Iterable[Role | Who],
    scope: str = "",
    words: Words = Words.NONE,
) -> Policy:
    return Policy(operation, what, frozenset(who), scope, words)


def _action_row(action: Action) -> Policy:
    """The roles of the life cycle's table; a citizen may also come with a receipt."""
    rows = [row for row in TABLE if row.action is action]
    who: set[Role | Who] = {role for row in rows for role in row.by}
    if _R.CITIZEN in who:
        who |= {Who.RECEIPT}
    if action is Action.JOIN:
        who |= {Who.ANONYMOUS}
    return _row(f"cases.{action}", rows[0].name, who, MOVES)


PERSONS_ACTIONS = tuple(
    action
    for action in Action
    if action is not Action.SUBMIT
    and any(Role.CLOCK not in row.by or len(row.by) > 1 for row in TABLE if row.action is action)
)
"""Actions that people take; those of the clock alone have no path."""

POLICY: dict[str, Policy] = {
    policy.operation: policy
    for policy in (
        _row("health.live", "存活检查", _ALL),
        _row("health.ready", "就绪检查", _ALL),
        _row("health.metrics", "运行指标", _ALL),
        _row("sessions.open", "登录", _ALL),
        _row("sessions.close", "退出", {Who.SIGNED_IN}),
        _row("sessions.me", "我是谁", _ALL),
        _row("accounts.password", "修改密码", {Who.SIGNED_IN}),
        _row("accounts.second_factor", "动态口令", _STAFF),
        _row("accounts.second_factor_begin", "绑定动态口令", _STAFF),
        _row("accounts.second_factor_confirm", "确认动态口令", _STAFF),
        _row("accounts.second_factors", "已启用动态口令的账号", {_R.SECADMIN}),
        _row("accounts.second_factor_remove", "解除动态口令", {_R.SECADMIN}),
        _row("accounts.register", "市民注册", _ALL),
        _row("accounts.redeem", "首个管理员", _ALL),
        _row("accounts.list", "账号列表", {_R.SYSADMIN, _R.SECADMIN}),
        _row("accounts.create", "新建账号", {_R.SYSADMIN}),
        _row("accounts.disable", "停用账号", {_R.SYSADMIN}),
        _row("accounts.enable", "启用账号", {_R.SYSADMIN}),
        _row("accounts.reset", "重置密码", {_R.SYSADMIN}),
        _row("accounts.propose_roles", "提议角色", {_R.SYSADMIN, _R.SECADMIN}),
        _row("accounts.confirm_roles", "确认角色", {_R.SECADMIN}),
        _row("accounts.reject_roles", "否决角色", {_R.SYSADMIN, _R.SECADMIN}),
        _row("accounts.withdraw_roles", "收回角色", {_R.SECADMIN}),
        _row("accounts.proposals", "角色提议", {_R.SYSADMIN, _R.SECADMIN}),
        _row("partners.list", "接入方列表", {_R.SYSADMIN, _R.SECADMIN}),
        _row("partners.create", "新建接入方", {_R.SYSADMIN}),
        _row("partners.scopes", "接入方权限", {_R.SECADMIN}),
        _row("partners.key", "接入方密钥", {_R.SYSADMIN}),
        _row("partners.disable", "停用接入方", {_R.SYSADMIN}),
        _row("photos.upload", "上传照片", _UPLOADERS | {Who.LINK}, REPORTS),
        _row("recordings.upload", "上传录音", _UPLOADERS, REPORTS),
        _row("photos.file", "查看照片", _LOOKERS, READS),
        _row("recordings.file", "收听录音", _LISTENERS, READS),
        _row("cases.photos", "案件照片", _LOOKERS, READS),
        _row("cases.redact", "遮盖照片", {_R.EDITOR}),
        _row("cases.confirm_redaction", "确认遮盖", {_R.EDITOR, _R.REVIEWER}),
        _row("cases.propose_boxes", "遮盖建议", {_R.EDITOR}),
        _row("cases.similar", "相似案件", {_R.REVIEWER, _R.SUPERVISOR}),
        _row("reports.similar", "附近的相似案件", _REPORTERS, REPORTS),
        _row("measures.false_rectification", "虚假整改率", {_R.ANALYST, _R.SUPERVISOR}),
        _row("places.locate", "定位", _ALL),
        _row("places.streets", "街镇列表", _ALL),
        _row("places.find", "查找地点", _ALL),
        _row("map.streets", "街镇图层", _ALL),
        _row("map.cases", "案件图层", _ALL),
        _row("map.hotspots", "高发点位", _ALL),
        _row("ogc.home", "OGC 服务首页", _ALL),
        _row("ogc.landing", "OGC 服务首页", _ALL),
        _row("ogc.api", "OGC 接口说明", _ALL),
        _row("ogc.conformance", "OGC 规范", _ALL),
        _row("ogc.collections", "OGC 要素集列表", _ALL),
        _row("ogc.collection", "OGC 要素集", _ALL),
        _row("ogc.items", "OGC 要素", _ALL),
        _row("ogc.feature", "OGC 单个要素", _ALL),
        _row("recognitions.ask", "类别推荐", _UPLOADERS - {Who.RECEIPT}, REPORTS),
        _row("reports.submit", "上报", _REPORTERS, REPORTS),
        _row("cases.list", "案件列表", _DESKS | {_R.PARTNER}, READS, Words.MASKED),
        _row("cases.read", "查看案件", _LOOKERS, READS, Words.MASKED),
        _row("cases.timeline", "办理过程", _LOOKERS, READS, Words.MASKED),
        _row("cases.clock", "时限说明", _LOOKERS, READS),
        _row("cases.ratings", "评价与实际用时", _DESKS),
        _row("visits.list", "待回访的案件", {_R.REVIEWER, _R.SUPERVISOR}),
        _row("cases.allowed", "可办操作", _LOOKERS, READS),
        _row(
            "cases.reveal",
            "查看原文",
            {_R.REVIEWER, _R.SUPERVISOR, _R.CITIZEN, Who.RECEIPT},
            words=Words.ORIGINAL,
        ),
        _row("cases.mine", "我的上报", {_R.CITIZEN}, words=Words.OWN),
        _row("desk.street", "街镇工作台", {_R.STREET, _R.STREET_LEAD}, words=Words.MASKED),
        _row(
            "desk.notices",
            "到期提醒",
            {_R.STREET, _R.STREET_LEAD, _R.REVIEWER, _R.SUPERVISOR},
        ),
        _row("desk.due", "到期清单", {_R.REVIEWER, _R.SUPERVISOR}),
        _row("desk.reviewer", "审核工作台", {_R.REVIEWER, _R.SUPERVISOR}, words=Words.MASKED),
        _row("desk.supervisor", "督办工作台", {_R.SUPERVISOR}),
        _row("cases.requests", "待答复的申请", _SEATED, words=Words.MASKED),
        _row("cases.uploads", "经办人上传的照片", {_R.STREET, _R.STREET_LEAD}),
        _row("cases.upload_file", "经办人上传的照片", {_R.STREET, _R.STREET_LEAD}),
        _row("handler.task", "经办人的任务", {Who.LINK}),
        _row("duty.accounts", "可排班的账号", {_R.SYSADMIN, _R.SUPERVISOR, _R.STREET_LEAD}),
        _row("duty.roster", "查看值班表", _SEATED | {_R.SYSADMIN}),
        _row("duty.assign", "排班", {_R.SYSADMIN, _R.SUPERVISOR, _R.STREET_LEAD}),
        _row("duty.remove", "撤班", {_R.SYSADMIN, _R.SUPERVISOR, _R.STREET_LEAD}),
        _row("shifts.list", "交接班记录", _SEATED),
        _row("shifts.draft", "交班清单", _SEATED),
        _row("shifts.hand_over", "交班", _SEATED),
        _row("shifts.take_over", "接班", _SEATED),
        _row("shifts.decline", "不接班", _SEATED),
        _row("shifts.withdraw", "撤回交班", _SEATED),
        _row("status.read", "办理状态", _ALL),
        _row("indicators.list", "指标目录", _ALL),
        _row("indicators.codes", "原因代码", _ALL),
        _row("indicators.propose", "提议修改指标", {_R.SYSADMIN}),
        _row("indicators.proposals", "待确认的修改", _CONFIGURE),
        _row("indicators.withdraw", "撤回修改", {_R.SYSADMIN, _R.SUPERVISOR}),
        _row("indicators.confirm", "确认修改指标", {_R.SUPERVISOR}),
        _row("indicators.reject", "否决修改指标", {_R.SUPERVISOR}),
        _row("special_periods.list", "特殊时段", _ALL),
        _row("special_periods.declare", "提议宣布特殊时段", {_R.SUPERVISOR}),
        _row("special_periods.move_end", "提议改变特殊时段的结束", {_R.SUPERVISOR}),
        _row("watch.read", "时钟值守", {_R.SYSADMIN, _R.SUPERVISOR}),
        _row("watch.accept_time", "确认系统时间无误", {_R.SYSADMIN}),
        _row("indicators.dry_run", "试算新时限", _TRIERS),
        _row("calendar.read", "工作日历", _ALL),
        _row("calendar.dry_run", "试算工作日历", _TRIERS),
        _row("changes.dry_run", "试算待确认的变更", _TRIERS),
        _row("changes.open_dry_run", "试算在办案件", _TRIERS),
        _row("special_periods.dry_run", "试算特殊时段", {_R.SUPERVISOR, _R.ANALYST}),
        _row("pages.home", "首页", _ALL),
        _row("pages.size", "长辈版", _ALL),
        _row("pages.sign_in", "登录页", _ALL),
        _row("pages.sign_out", "退出登录", {Who.SIGNED_IN}),
        _row("pages.password", "修改密码页", {Who.SIGNED_IN}),
        _row("pages.second_factor", "动态口令", _STAFF),
        _row("pages.search", "查案件", _DESKS),
        _row("pages.report", "上报页", _REPORTERS - {_R.PARTNER}, words=Words.OWN),
        _row("pages.report_look", "上报时查地点和类别", _REPORTERS - {_R.PARTNER}),
        _row("pages.on_behalf", "代为上报", {_R.REVIEWER, _R.STREET, _R.STREET_LEAD}),
        _row("pages.receipt", "回执页", {_R.REVIEWER, _R.STREET, _R.STREET_LEAD, *_OWN}),
        _row("pages.my", "我的上报页", {Who.ANONYMOUS, _R.CITIZEN}, words=Words.OWN),
        _row("pages.my_forget", "清除回执", _ALL),
        _row("pages.my_erase", "删除个人信息页", _OWN),
        _row("pages.status", "查进度", _ALL),
        _row("pages.register", "注册页", _ALL),
        _row("pages.withdraw_consent", "不再同意公开照片", _OWN),
        _row("pages.case", "案件页", _LOOKERS - {_R.PARTNER}, words=Words.MASKED),
        _row("pages.photo", "查看照片", _LOOKERS - {_R.PARTNER}),
        _row("pages.recording", "收听录音", _LISTENERS - {_R.PARTNER}),
        _row("pages.street", "街镇台", {_R.STREET, _R.STREET_LEAD}, words=Words.MASKED),
        _row("pages.case_upload", "经办人上传的照片", {_R.STREET, _R.STREET_LEAD}),
        _row("pages.handler", "经办人拍照页", _ALL),
        _row("pages.supervisor", "督办台", {_R.SUPERVISOR}, words=Words.MASKED),
        _row("pages.special_periods", "特殊时段页", {_R.SUPERVISOR}),
        _row("pages.shifts", "值班交接页", _SEATED),
        _row("pages.shifts_report", "值班与交接班记录", {_R.SUPERVISOR}),
        _row("pages.progress", "案件进展", _OWN, words=Words.OWN),
        _row("pages.act", "在页面上办理", _ALL),
        _row("pages.upload", "在页面上传照片和录音", _ALL),
        _row("pages.static", "页面样式", _ALL),
        _row("pages.reviewer", "审核台", {_R.REVIEWER}, words=Words.MASKED),
        _row("pages.reviewer_queue", "审核台清单", {_R.REVIEWER}, words=Words.MASKED),
        _row("pages.reviewer_act", "在审核台办理", {_R.REVIEWER}),
        _row("pages.reviewer_reveal", "在审核台查看原文", {_R.REVIEWER}, words=Words.ORIGINAL),
        _row("pages.nominate", "在审核台推荐典型案例", {_R.REVIEWER}),
        _row("pages.checks", "现场核查台", {_R.CHECKER}, words=Words.MASKED),
        _row("pages.analyst", "数据分析", _EXPORTERS),
        _row("pages.analyst_measures", "指标数据页", _MEASURERS),
        _row("pages.analyst_cases", "一个数背后的案件页", _MEASURERS),
        _row("pages.analyst_export", "导出案件页", _EXPORTERS),
        _row("pages.analyst_documents", "报告页", _OVERSEERS | {_R.SYSADMIN, _R.AUDITOR}),
        _row("pages.analyst_sealed", "封存月份页", _MEASURERS),
        _row("pages.analyst_seal", "在页面上封存", {_R.SUPERVISOR}),
        _row("pages.analyst_dry_run", "试算页", _TRIERS),
        _row("pages.first_administrator", "首个管理员页", _ALL),
        _row("pages.office_accounts", "账号页", {_R.SYSADMIN}),
        _row("pages.office_configuration", "配置页", _CONFIGURE),
        _row("pages.office_duty", "值班表页", {_R.SYSADMIN}),
        _row("pages.office_security", "权限与审批页", {_R.SECADMIN}),
        _row("pages.office_audit", "审计页", {_R.AUDITOR}),
        _row("pages.typical_desk", "典型案例台", {_R.REVIEWER, _R.EDITOR, _R.SUPERVISOR}),
        _row("pages.typical_cases", "典型案例页", _ALL),
        _row("persons.erase", "删除个人信息", {_R.SECADMIN, _R.CITIZEN, Who.RECEIPT}),
        _row("persons.approve_erasure", "批准删除", {_R.SECADMIN}),
        _row("persons.decline_erasure", "不批准删除", {_R.SECADMIN}),
        _row("persons.erasures", "删除台账", {_R.SECADMIN, _R.AUDITOR}),
        _row("persons.staff_texts", "相关工作文字", {_R.SECADMIN}),
        _row("persons.destroy_staff_texts", "销毁工作文字", {_R.SECADMIN}),
        _row("audit.list", "审计记录", {_R.AUDITOR}),
        _row("audit.verify", "核验审计链", {_R.AUDITOR}),
        _row("measures.redispatch", "再派遣", {_R.ANALYST, _R.SUPERVISOR}),
        _row("measures.timeliness", "按期处置率", {_R.ANALYST, _R.SUPERVISOR}),
        _row("measures.timeliness_cases", "按期处置率的案件", {_R.ANALYST, _R.SUPERVISOR}),
        _row("measures.recognition", "类别推荐的准确率", {_R.ANALYST, _R.SUPERVISOR, _R.SYSADMIN}),
        _row("documents.list", "报告列表", _OVERSEERS | {_R.SYSADMIN, _R.AUDITOR}),
        _row("documents.weekly", "周报", _OVERSEERS),
        _row("documents.monday", "全区周一专页", _OVERSEERS),
        _row("documents.monthly", "数据分析月报", _OVERSEERS),
        _row("documents.quarterly", "用户行为分析季报", _OVERSEERS),
        _row("documents.inspection", "巡检记录", {_R.SYSADMIN, _R.AUDITOR, _R.SUPERVISOR}),
        _row("documents.work_log", "工作日志", _OVERSEERS),
        _row("documents.shifts", "值班与交接班记录", {_R.SUPERVISOR}),
        _row("measures.list", "指标口径目录", _MEASURERS),
        _row("measures.figures", "指标口径的数", _MEASURERS),
        _row("measures.cases", "指标口径背后的案件", _MEASURERS),
        _row("measures.seal", "封存月度数据", {_R.SUPERVISOR}),
        _row("measures.sealed", "封存的月度数据", _MEASURERS),
        _row("exports.fields", "导出的字段", _EXPORTERS),
        _row("exports.cases", "导出案件", _EXPORTERS),
        _row("typical_cases.list", "典型案例", _ALL),
        _row("typical_cases.read", "一个月的典型案例", _ALL),
        _row("typical_cases.photo", "典型案例的照片", _ALL),
        _row("typical_cases.desk", "典型案例办理", {_R.REVIEWER, _R.EDITOR, _R.SUPERVISOR}),
        _row("typical_cases.months", "各月典型案例", {_R.REVIEWER, _R.EDITOR, _R.SUPERVISOR}),
        _row("typical_cases.preview", "典型案例预览", {_R.REVIEWER, _R.EDITOR, _R.SUPERVISOR}),
        _row("typical_cases.proposal", "典型案例推荐名单", {_R.REVIEWER, _R.EDITOR}),
        _row("typical_cases.nominate", "推荐典型案例", {_R.REVIEWER}),
        _row("typical_cases.redact", "处理典型案例", {_R.EDITOR}),
        _row("typical_cases.approve", "批准典型案例", {_R.EDITOR}),
        _row("typical_cases.publish", "发布典型案例", {_R.EDITOR}),
        _row("typical_cases.withdraw", "撤回典型案例", {_R.EDITOR}),
        _row("cases.withdraw_consent", "不再同意公开照片", {_R.CITIZEN, Who.RECEIPT}),
        _row("feeds.atom", "典型案例订阅源", _ALL),
        _row("feeds.json", "典型案例订阅源", _ALL),
        _row("place_codes.issue", "发放位置二维码", _CODE_HOLDERS),
        _row("place_codes.revoke", "停用位置二维码", _CODE_HOLDERS),
        _row("place_codes.list", "位置二维码列表", _CODE_HOLDERS | {_R.ANALYST, _R.SUPERVISOR}),
        _row("place_codes.scans", "扫码次数", _CODE_HOLDERS | {_R.ANALYST, _R.SUPERVISOR}),
        _row("place_codes.qr", "二维码图片", _CODE_HOLDERS),
        _row("place_codes.place", "扫码得到的位置", _ALL),
        _row("place_codes.open", "扫码", _ALL),
        *(_action_row(action) for action in PERSONS_ACTIONS),
    )
}
"""Operation → row. The operation is the route's name."""


class Visitor(msgspec.Struct, frozen=True):
    """Who stands at the door: an account or nobody, perhaps with a receipt, from some source."""

    principal: Principal
    source: str
    receipt: str | None = None
    link: str | None = None
    """A one-time upload link of a street's handler."""
    draft: UUID | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.principal.kind is PrincipalKind.ANONYMOUS

    def held(self) -> frozenset[Role | Who]:
        """What this visitor may be in the policy table."""
        match self.principal.kind:
            case PrincipalKind.CITIZEN:
                return frozenset({Who.ANYONE, Who.SIGNED_IN, Role.CITIZEN})
            case PrincipalKind.PARTNER:
                return frozenset({Who.ANYONE, Role.PARTNER})
            case PrincipalKind.STAFF:
                return frozenset({Who.ANYONE, Who.SIGNED_IN, *self.principal.roles})
            case PrincipalKind.ANONYMOUS if self.receipt:
                return frozenset({Who.ANYONE, Who.ANONYMOUS, Who.RECEIPT})
            case PrincipalKind.ANONYMOUS if self.link:
                return frozenset({Who.ANYONE, Who.LINK})
            case PrincipalKind.ANONYMOUS:
                return frozenset({Who.ANYONE, Who.ANONYMOUS})


OPEN_WITH_OLD_PASSWORD = frozenset(
    {
        "sessions.me",
        "sessions.close",
        "accounts.password",
        "pages.password",
        "pages.sign_out",
        "pages.static",
        "pages.size",
    }
)


OPEN_WITHOUT_FACTOR = OPEN_WITH_OLD_PASSWORD | {
    "accounts.second_factor",
    "accounts.second_factor_begin",
    "accounts.second_factor_confirm",
    "pages.second_factor",
}
"""What is open where a role asks for a second factor and the sign-in gave none."""


def permit(policy: Policy, visitor: Visitor) -> None:
    """Refuse who the row does not name.

    Raises:
        ProblemError: 401 without credentials, 403 where the password must be changed, or a second
            factor set up, first.
        NotPermitted: the role, or a partner's scope, is missing.

    """
    held = visitor.held()
    principal = visitor.principal
    if principal.must_change_password and policy.operation not in OPEN_WITH_OLD_PASSWORD:
        raise problem_error(
            403, "password-due", "请先修改密码", "密码是临时的或已到期，请先修改密码再继续。"
        )
    if principal.second_factor_due and policy.operation not in OPEN_WITHOUT_FACTOR:
        raise problem_error(
            403,
            "second-factor-due",
            "请先绑定动态口令",
            "您的角色须使用动态口令，请先绑定再继续；已绑定的，请退出后用动态口令重新登录。",
        )
    if not held & policy.who:
        if visitor.is_anonymous and not visitor.receipt:
            raise unauthenticated()
        names = dict.fromkeys(name_of(who) for who in sorted(policy.who))
        raise NotPermitted(policy.what, tuple(names))
    needs_scope = principal.kind is PrincipalKind.PARTNER and Who.ANYONE not in policy.who
    if needs_scope and policy.scope not in principal.scopes:
        raise NotPermitted(policy.what, (f"有{policy.scope or '相应'}权限的接入方",))


def name_of(who: Role | Who) -> str:
    """What a holder of an operation is called."""
    if isinstance(who, Role):
        return ROLE_NAMES[who]
    return {
        Who.RECEIPT: "持回执的市民",
        Who.LINK: "持上传链接的经办人",
        Who.SIGNED_IN: "已登录的账号",
    }.get(who, "市民")


def unauthenticated() -> ProblemError:
    """No credentials, or such as nobody holds."""
    return problem_error(
        401,
        "unauthenticated",
        "请先登录",
        "请先登录，或检查访问令牌是否有效。",
        headers={"WWW-Authenticate": "Bearer"},
    )


# How one stands to a case ----------------------------------------------------------------


def reporter_mark(case_id: UUID, person: UUID, first: UUID) -> UUID:
    """What a receipt is drawn from: the case for the first reporter, case and person for others."""
    return case_id if person == first else uuid5(case_id, str(person))


def actor_at(visitor: Visitor, case_id: UUID, case: Case, receipts: Receipts) -> Actor | None:
    """The actor this visitor is at the case; None for one without any standing.

    A receipt makes the citizen who holds it: no account is needed, and one that reported nothing
    of this case does not stand in its way.
    """
    principal = visitor.principal
    if principal.kind is PrincipalKind.CITIZEN:
        own = principal.person_id in {*case.reporters, *case.left}
        if visitor.receipt and not own and (held := _by_receipt(visitor, case_id, case, receipts)):
            return held
        return Actor(ActorKind.CITIZEN, str(principal.person_id), roles=(Role.CITIZEN,))
    if principal.kind is PrincipalKind.PARTNER:
        return Actor(ActorKind.PARTNER, str(principal.account_id), roles=(Role.PARTNER,))
    if principal.kind is PrincipalKind.STAFF:
        return principal.actor()
    return _by_receipt(visitor, case_id, case, receipts)


def _by_receipt(visitor: Visitor, case_id: UUID, case: Case, receipts: Receipts) -> Actor | None:
    if visitor.receipt:
        for person in (*case.reporters, *case.left):
            mark = reporter_mark(case_id, person, case.first_reporter)
            if receipts.matches(visitor.receipt, mark):
                return Actor(ActorKind.CITIZEN, str(person), roles=(Role.CITIZEN,))
    return None


_EVERYTHING = (Role.REVIEWER, Role.SUPERVISOR, Role.ANALYST)
_PUBLISHED = frozenset({Status.CLOSED, Status.COMPLETED})


def may_see(actor: Actor | None, case: Case) -> bool:
    """Whether the actor may look at the case at all.

    A 街镇 sees only cases that it has, a citizen those reported or joined, a partner those it sent,
    a checker those with an open site check, an editor those that ended.
    """
    if actor is None:
        return False
    if actor.kind is ActorKind.CITIZEN:
        return any(str(person) == actor.id for person in case.reporters)
    if actor.kind is ActorKind.PARTNER:
        return case.sent_by == actor.id
    if actor.holds(*_EVERYTHING):
        return True
    if actor.holds(Role.STREET, Role.STREET_LEAD) and actor.street is not None:
        return case.street == actor.street
    if actor.holds(Role.CHECKER) and Action.REQUEST_SITE_CHECK in case.pending:
        return actor.street is None or actor.street not in case.handled_by
    return actor.holds(Role.EDITOR) and case.status in _PUBLISHED


def require_sight(actor: Actor | None, case_id: UUID, case: Case) -> Actor:
    """The actor, if the case is theirs to see.

    Raises:
        UnknownCase: it is not, in the very words for a case that is not there.

    """
    if actor is None or not may_see(actor, case):
        raise UnknownCase(case_id)
    return actor
