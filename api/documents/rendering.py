"""Sets a document in a process of its own, so that the server never holds what only this needs.

`python -m api.documents.rendering pdf` reads a document as JSON and writes the file. Setting is
pure: no database, no clock, no network.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from api.documents.kinds import Format
from projections.reports.document import Document
from projections.reports.pdf import CannotSet, pdf
from projections.reports.sheets import text_csv
from projections.reports.xlsx import xlsx

SECONDS = 60.0
"""A document of a thousand rows takes less than two; what takes longer is stuck."""

MISSING = 3
"""Exit code of the child where a package is missing; its name is on standard error."""

WRITERS = {Format.PDF: pdf, Format.XLSX: xlsx, Format.CSV: text_csv}


class NotRendered(Exception):  # noqa: N818  names the finding
    """The child did not finish, or ended in a fault."""


def rendered(document: Document, form: Format) -> bytes:
    """The file, made by a child. May take seconds; call it in a thread.

    Raises:
        CannotSet: a package is missing.
        NotRendered: anything else.

    """
    try:
        done = subprocess.run(  # noqa: S603  our own module, by our own interpreter
            [sys.executable, "-m", __name__, form],
            input=msgspec.json.encode(document),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd=Path(__file__).parents[2],
            env={k: v for k, v in os.environ.items() if not k.startswith("CASEWORK_")},
        )
    except subprocess.TimeoutExpired as slow:
        raise NotRendered(f"没有在 {SECONDS:.0f} 秒内生成") from slow
    if done.returncode == MISSING:
        raise CannotSet(done.stderr.decode().strip())
    if done.returncode:
        raise NotRendered(done.stderr.decode(errors="replace")[-500:])
    return done.stdout


def _main() -> None:
    document = msgspec.json.decode(sys.stdin.buffer.read(), type=Document)
    try:
        made = WRITERS[Format(sys.argv[1])](document)
    except CannotSet as cannot:
        sys.stderr.write(cannot.missing)
        sys.exit(MISSING)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    _main()
