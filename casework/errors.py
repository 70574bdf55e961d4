"""Why a command is refused. Facts as fields, the sentence in plain Chinese; knows nothing of HTTP.

A refusal records no event. `str(refusal)` is what the person at the desk reads.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import UUID

_SHANGHAI = timezone(timedelta(hours=8))


def when(moment: datetime) -> str:
    """A moment as people in Haidian read it, to the minute."""
    return moment.astimezone(_SHANGHAI).strftime("%Y年%m月%d日 %H:%M")


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not a fault
    """A command that the rules do not allow now. Nothing was recorded."""


@dataclass(eq=False)
class NotAllowed(Refusal):
    """The table has no such row from this status (状态不允许)."""

    action: str
    status: str
    possible: tuple[str, ...] = ()

    def __str__(self) -> str:
        now = f"现在可以: {'、'.join(self.possible)}。" if self.possible else "现在没有可做的操作。"
        return f"案件目前是「{self.status}」，不能「{self.action}」。{now}"


@dataclass(eq=False)
class NotPermitted(Refusal):
    """The actor lacks the role that the table asks for (无权限)."""

    action: str
    needs: tuple[str, ...]

    def __str__(self) -> str:
        return f"「{self.action}」须由{'或'.join(self.needs)}办理。"


@dataclass(eq=False)
class NotYours(Refusal):
    """The case is another street's or another person's. Told as if it were not there."""

    action: str

    def __str__(self) -> str:
        return "没有找到这个案件。"


@dataclass(eq=False)
class ConflictOfInterest(Refusal):
    """The same account, or the account's own 街镇, stands on both sides (回避)."""

    action: str
    why: str

    def __str__(self) -> str:
        return f"按回避规则您不能办理「{self.action}」: {self.why}。请由其他人员办理。"


@dataclass(eq=False)
class UnknownCase(Refusal):
    case: UUID | str

    def __str__(self) -> str:
        return "没有找到这个案件。"


@dataclass(eq=False)
class Stale(Refusal):
    """Someone else acted since the version that was seen (版本已变)."""

    expected: int
    actual: int
    what: str = "案件"

    def __str__(self) -> str:
        return (
            f"您看到的是第{self.expected}版，{self.what}已更新到第{self.actual}版，请刷新后再办理。"
        )


@dataclass(eq=False)
class Missing(Refusal):
    """Something that the action needs is not there, or not as it must be (内容不符)."""

    what: str
    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(eq=False)
class UnknownCode(Refusal):
    """A coded reason that is not in force for this action (原因代码无效)."""

    code: str
    possible: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"原因代码「{self.code}」不适用于此操作，可选: {'、'.join(self.possible)}。"


@dataclass(eq=False)
class TooLate(Refusal):
    """The time in which this could be asked is over (已过时限)."""

    action: str
    until: datetime

    def __str__(self) -> str:
        return f"「{self.action}」的时限已于{when(self.until)}截止。"


@dataclass(eq=False)
class TooEarly(Refusal):
    """What the clock asks for is not due yet (未到时间)."""

    action: str
    due: datetime

    def __str__(self) -> str:
        return f"「{self.action}」要到{when(self.due)}才到时间。"


@dataclass(eq=False)
class Exhausted(Refusal):
    """It may be done only so often, and has been (次数已用完)."""

    action: str
    most: int
    per: str

    def __str__(self) -> str:
        return f"「{self.action}」每{self.per}最多{self.most}次，已用完。"


@dataclass(eq=False)
class NothingPending(Refusal):
    """There is no open request to decide (没有待决的申请), or one is open already."""

    action: str
    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(eq=False)
class UnseenFindings(Refusal):
    """There are findings on the photos handed over that whoever decides has not seen (未阅疑点).

    Each is its sentence with its id.
    """

    unseen: tuple[str, ...]

    def __str__(self) -> str:
        listed, n = "；".join(self.unseen), len(self.unseen)
        return f"整改照片有{n}条疑点尚未查看: {listed}。请查看后在 findings_seen 中列出。"


@dataclass(eq=False)
class OutsideDistrict(Refusal):
    """The place is not in Haidian (不在海淀区)."""

    neighbour: str | None
    door: str

    def __str__(self) -> str:
        where = f"可能在{self.neighbour}" if self.neighbour else "不在海淀区"
        return f"所选位置{where}，海淀随手拍无法受理。{self.door}"


@dataclass(eq=False)
class OutOfScope(Refusal):
    """楼道内/室内: the one kind of place that is barred."""

    door: str

    def __str__(self) -> str:
        return f"楼道内和室内不属于随手拍上报范围。{self.door}"


@dataclass(eq=False)
class AlreadyReported(Refusal):
    """The same number of the same platform was sent before: it is one case (同一工单)."""

    platform: str
    number: str
    case_number: str

    def __str__(self) -> str:
        return (
            f"{self.platform}的工单「{self.number}」已经是案件{self.case_number}，"
            "请在该案件上追加信息或查询进度。"
        )


@dataclass(eq=False)
class KeyReused(Refusal):
    """The same Idempotency-Key came with another body (幂等键被用于不同内容)."""

    def __str__(self) -> str:
        return "同一个 Idempotency-Key 已用于内容不同的请求，请换一个新的键。"


@dataclass(eq=False)
class Erased(Refusal):
    """The person asked for erasure; what was once answered is gone (已按本人要求删除)."""

    def __str__(self) -> str:
        return "相关个人信息已按本人要求删除，无法再次给出该答复。"


@dataclass(eq=False)
class Behind(Refusal):
    """A reference stream is not read far enough to decide by (参考数据滞后)."""

    seconds: float = field(default=0.0)

    def __str__(self) -> str:
        return "系统正在同步指标和日历数据，暂时不能办理，请稍后再试。"
