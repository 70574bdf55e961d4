"""Prepares before a server starts, but only what this code has not prepared here before.

The tools that change tables are not imported in this process: they cost memory and time that a
server should not spend.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from api.settings import Settings


def ensure_prepared(settings: Settings) -> None:
    """Prepare in a process of its own, unless this very code has done so here already.

    Raises CalledProcessError where that fails; its words are on standard error.
    """
    stamp = settings.var / "prepared"
    wanted = _fingerprint(settings)
    there = bool(settings.database) or (settings.var / "log.db").exists()
    if there and stamp.exists() and stamp.read_text() == wanted:
        return
    given = {f"CASEWORK_{k.upper()}": _as_text(v) for k, v in settings if v not in (None, ())}
    subprocess.run(
        [sys.executable, "-m", "api.preparing"],
        check=True,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, **given},
    )
    stamp.write_text(wanted)


def _as_text(value: object) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _fingerprint(settings: Settings) -> str:
    """What was prepared, and by which steps."""
    here = Path(__file__).parent.parent
    steps = [here / "api" / "preparing.py"]
    for folder in ("api/accounts/schema/versions", "casework/log/migrations/versions"):
        steps += sorted((here / folder).glob("*.py"))
    found = hashlib.sha256(json.dumps([settings.database, settings.log_role]).encode())
    for path in steps:
        found.update(path.read_bytes())
    return found.hexdigest()
