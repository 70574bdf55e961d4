"""Why the desk refuses: sign-in, accounts, roles. Sentences in Chinese; knows nothing of HTTP.

All of them are `casework.errors.Refusal`, so that one mapping answers for the whole house.
"""

from dataclasses import dataclass
from datetime import datetime

from casework.errors import Refusal, when


class DeskRefusal(Refusal):
    """The accounts' rules do not allow it."""


@dataclass(eq=False)
class WrongCredentials(DeskRefusal):
    """Name or password do not fit. The same words for an unknown, disabled or real account."""

    def __str__(self) -> str:
        return "账号或密码不正确。"


@dataclass(eq=False)
class CodeNeeded(DeskRefusal):
    """The password was right; the account also asks for a one-time code."""

    def __str__(self) -> str:
        return "请输入动态口令。"


@dataclass(eq=False)
class WrongCode(DeskRefusal):
    """The one-time code is not right now, or was used before."""

    def __str__(self) -> str:
        return "动态口令不正确或已使用过，请等下一个。"


@dataclass(eq=False)
class TooManyAttempts(DeskRefusal):
    """Too many failed sign-ins (429). `retry_after` is whole seconds, at least 1."""

    retry_after: int

    def __str__(self) -> str:
        return f"登录失败次数过多，请在{self.retry_after}秒后再试。"


@dataclass(eq=False)
class Overloaded(DeskRefusal):
    """A bounded queue is full (503). Nothing was done; `retry_after` is whole seconds."""

    retry_after: int = 1

    def __str__(self) -> str:
        return f"系统繁忙，请在{self.retry_after}秒后再试。"


@dataclass(eq=False)
class WeakPassword(DeskRefusal):
    """The password does not meet the profile in force. `why` names every rule that it misses."""

    why: tuple[str, ...]

    def __str__(self) -> str:
        return f"密码不符合要求: {'；'.join(self.why)}。"


@dataclass(eq=False)
class NotForYou(DeskRefusal):
    """The account lacks the role, or two people are needed and this is the same one."""

    action: str
    why: str

    def __str__(self) -> str:
        return f"您不能办理「{self.action}」: {self.why}。"


@dataclass(eq=False)
class RolesClash(DeskRefusal):
    """Roles that one account may not hold together (角色互斥), or that nobody may be granted."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(eq=False)
class NameTaken(DeskRefusal):
    """The sign-in name is in use, compared without regard to case and width."""

    def __str__(self) -> str:
        return "该登录名已被使用，请换一个。"


@dataclass(eq=False)
class Unfit(DeskRefusal):
    """A field is not as it must be (422)."""

    field: str
    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(eq=False)
class NotThere(DeskRefusal):
    """No such account, proposal, partner or token."""

    what: str

    def __str__(self) -> str:
        return f"没有找到该{self.what}。"


@dataclass(eq=False)
class AlreadyDecided(DeskRefusal):
    """The proposal was decided, or overtaken by a newer one."""

    at: datetime

    def __str__(self) -> str:
        return f"该申请已于{when(self.at)}处理完毕。"
