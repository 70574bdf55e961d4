"""The log of the running process: lines of JSON on standard error, without personal data.

Standard output belongs to what a command was asked for, and others read it: no line goes there,
whichever command is running and whichever thread has something to say. So the log is made where
it is defined, and there is no step that could be forgotten.
"""

import logging
import sys

import structlog

log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
    structlog.PrintLogger(sys.__stderr__),
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
)
"""Each line has the time, the level, the event and its facts."""


def send_others_there() -> None:
    """Warnings of the libraries go to standard error too, as their bare messages."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
