"""`casework serve`: the server on one address. Everything else is settings."""

import ctypes
import gc
import sys
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.commands.exits import Refused
from api.commands.opening import read_settings
from api.logs import send_others_there
from api.preparing_once import ensure_prepared
from api.settings import Settings
from api.wiring import build

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while another waits. The default of 5 ms lets the
thread that folds views hold up every answer whose hash or random number let go of it."""


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=line)(_serve)


def _serve(
    host: Annotated[str | None, typer.Option(help="监听地址，默认 127.0.0.1。")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="监听端口，默认 8000；0 为任选。")
    ] = None,
) -> None:
    serve(read_settings(host=host, port=port))


def _keep_memory_together() -> None:
    """Few arenas for many threads: glibc would give each thread one of its own and keep it.

    Without glibc nothing is asked.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 2)


def _collect_seldom() -> None:
    """What the start made stays to the end: not looked through again while somebody waits."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


_M_ARENA_MAX = -8
"""From malloc.h."""


def serve(settings: Settings) -> None:
    """Prepare, then serve until told to stop. Ends the requests in hand first.

    Raises:
        Refused: the server could not start or did not end well; the log says why.

    """
    ensure_prepared(settings)
    send_others_there()
    sys.setswitchinterval(SWITCH_SECONDS)
    _keep_memory_together()
    app = create_app(build(settings))
    _collect_seldom()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        access_log=False,  # request lines are ours: without paths, which may hold receipts
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is read by `api.visitors`, from trusted ones only
        timeout_graceful_shutdown=30,
    )
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        raise Refused("服务没有启动，原因见上面的日志。")
