"""The command line: `casework serve`, `demo`, `accounts` … Holds names, not what they do.

A command's module is imported when that command is called: the server must not wait for what
draws pictures or reads map files.
"""

import gc
import importlib
import sys

import typer

from api.commands.exits import Refused

COMMANDS = {
    "serve": "启动服务",
    "demo": "准备演示账号和案件，可接着启动服务",
    "accounts": "账号：首个管理员、列表",
    "locate": "批量定位：从标准输入读 CSV，给出街镇和把握程度",
    "recognise": "批量推荐类别：从标准输入读 CSV，给出前三项指标",
    "boundaries": "街镇边界：检查、比较、启用",
    "dry-run": "试算：按待确认的变更、另一指标或另一日历，看上月哪些案件会超期",
    "report": "报告：周报、月报、季报、工作日志、交接班记录等，PDF、XLSX 或 CSV",
    "inspect": "巡检：健康、视图、待办、磁盘，并核验全部日志",
    "rebuild": "由事件日志重建视图",
    "blobs": "照片和录音文件：核对、清除无人引用的",
    "verify": "核验日志、审计和文件是否完好",
}
"""Command → the line about it in the list. The module in `api.commands` is named alike."""


def program(called: str | None) -> typer.Typer:
    """The program with the called command in it; the others are there by name only."""
    app = typer.Typer(
        help="海淀随手拍 · 案件引擎",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_all)
    for name, line in COMMANDS.items():
        if name == called:
            importlib.import_module(f"api.commands.{name.replace('-', '_')}").add_to(
                app, name, line
            )
        else:
            app.command(name, help=line)(_all)
    return app


def _all() -> None:
    """Do nothing: what is called does the work."""


def main() -> None:
    """Run the command line. Exit codes: see `api.commands.exits`."""
    # Imports make many objects and no garbage: looking for some costs a tenth of the start.
    gc.disable()
    called = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        commands = program(called)
        gc.freeze()
        gc.enable()
        commands(prog_name="casework")
    except Refused as refusal:
        typer.echo(str(refusal), err=True)
        sys.exit(refusal.code)


if __name__ == "__main__":
    main()
