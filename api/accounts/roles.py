"""Which roles one account may hold. Pure: knows no table and no clock."""

import re
from collections.abc import Iterable

from api.accounts.errors import RolesClash, Unfit
from casework.lifecycle import ROLE_NAMES
from casework.model import Role

THREE = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})
"""三员: whoever holds one of them holds nothing else."""

_GRANTABLE = THREE | {
    Role.REVIEWER,
    Role.STREET,
    Role.STREET_LEAD,
    Role.CHECKER,
    Role.SUPERVISOR,
    Role.EDITOR,
    Role.ANALYST,
}
_OF_A_STREET = frozenset({Role.STREET, Role.STREET_LEAD})
_STREET = re.compile(r"110108[0-9]{3}")


def settled(roles: Iterable[Role], street: str | None) -> tuple[Role, ...]:
    """The roles in the order of the glossary, if one staff account may hold them together.

    Raises RolesClash for roles that exclude each other or that nobody is granted, Unfit where
    a street role has no 街镇 or the code is not one of Haidian's nine-digit codes.
    """
    wanted = set(roles)
    if strange := wanted - _GRANTABLE:
        names = "、".join(sorted(ROLE_NAMES.get(role, role.value) for role in strange))
        raise RolesClash(f"「{names}」不是可以授予工作人员的角色。")
    three = [role for role in Role if role in wanted & THREE]
    if len(three) > 1:
        names = "、".join(ROLE_NAMES[role] for role in three)
        raise RolesClash(f"三员互斥: 同一账号不能同时是{names}。")
    if three and len(wanted) > 1:
        raise RolesClash(f"三员互斥: {ROLE_NAMES[three[0]]}不能兼任其他角色。")
    if wanted & _OF_A_STREET and street is None:
        raise Unfit("street", "街镇角色必须注明所属街镇。")
    if street is not None and _STREET.fullmatch(street) is None:
        raise Unfit("street", "街镇代码应为110108开头的九位数字。")
    return tuple(role for role in Role if role in wanted)
