"""`casework accounts`: the first administrator's token, a lost second factor, and who there is.

Shows nothing secret.
"""

from typing import Annotated

import typer

from api.accounts.errors import DeskRefusal
from api.commands.exits import Refused
from api.commands.opening import opened, read_settings
from api.wiring import now
from casework.lifecycle import ROLE_NAMES
from casework.model import Role

accounts = typer.Typer(no_args_is_help=True)

_PAGE = 100


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the commands into the program."""
    app.add_typer(accounts, name=name, help=line)


@accounts.command("first-admin", help="发一次性口令，用来建立首个系统管理员、安全管理员或审计员。")
def first_admin(
    role: Annotated[
        str, typer.Option(help="sysadmin（系统）、secadmin（安全）或 auditor（审计）。")
    ] = Role.SYSADMIN.value,
) -> None:
    """Print a token that works once, within an hour, while nobody holds the role."""
    with opened(read_settings()) as parts:
        try:
            token = parts.grants.issue_first_admin_token(now(), Role(role))
        except (DeskRefusal, ValueError) as refusal:
            raise Refused(
                str(refusal) if isinstance(refusal, DeskRefusal) else f"没有角色 {role}。"
            ) from refusal
    typer.echo(token)
    typer.echo(
        "一小时内有效，只能用一次：POST /api/v1/administrators 时作为 token 提交。", err=True
    )


@accounts.command("remove-second-factor", help="解除一个账号的动态口令（三员丢失手机时）。")
def remove_second_factor(name: Annotated[str, typer.Argument(help="登录名。")]) -> None:
    """Take the factor off an account and end its sign-ins."""
    with opened(read_settings()) as parts:
        try:
            parts.factors.remove_on_server(name, now())
        except DeskRefusal as refusal:
            raise Refused(str(refusal)) from refusal
    typer.echo("已解除动态口令，该账号的登录均已结束；请本人登录后重新绑定。")


@accounts.command("list", help="列出工作人员账号。")
def show() -> None:
    """Print name, person, roles, 街镇 and state of each staff account, parted by tabs."""
    with opened(read_settings()) as parts:
        after = ""
        while page := parts.people.accounts(after, _PAGE):
            for account in page:
                roles = "、".join(ROLE_NAMES[role] for role in account.roles) or "无角色"
                state = "停用" if account.disabled_at else "启用"
                typer.echo(
                    "\t".join(
                        (account.name, account.display_name, roles, account.street or "-", state)
                    )
                )
            after = page[-1].name.casefold()
