"""The server with one guard taken out: it acknowledges what it has not committed.

`python -m tests.assurance.lying --port N`. The control of the kill tests: a checker that passes
this one proves nothing.
"""

import argparse

import uvicorn

from api.app import create_app
from api.settings import Settings
from api.wiring import build
from casework.log.recorder import LogRecorder
from casework.log.sqlite_writer import SqliteWriter


class LyingWriter(SqliteWriter):
    """Says that it has committed, and never does."""

    def __init__(self, honest: SqliteWriter) -> None:
        super().__init__(honest.path)
        self._connection = honest._connection

    def begin(self) -> None:
        assert self._connection is not None
        if not self._connection.in_transaction:
            super().begin()

    def commit(self) -> None:
        """The guard that is taken out."""

    def rest(self) -> None:
        """No checkpoint can be taken in the middle of a transaction."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    parts = build(Settings())
    recorder = parts.casework.recorder
    assert isinstance(recorder, LogRecorder)
    committer = recorder.committer
    honest = committer._writer
    assert isinstance(honest, SqliteWriter)
    committer._writer = committer._transactions._writer = LyingWriter(honest)
    uvicorn.run(create_app(parts), port=given.port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
