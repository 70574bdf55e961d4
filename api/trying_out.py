"""试算: what past handlings would have been under rules as they might be. Changes nothing.

Rules are those that would hold from the change on; the handlings are asked of the views as they
stood at a moment. The same for the routes and for `casework dry-run`.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from api.configuring import ProposedChange, in_words
from api.geojson import bad
from casework import catalogue as catalogues
from casework import proposals
from casework.catalogue import Catalogue
from casework.dry_run import DryRun, dry_run
from casework.effective import LEAD
from casework.errors import Missing, NothingPending
from casework.handlings import Cut
from casework.indicators import Indicator, require_sound
from casework.log.port import Log
from casework.proposals import Change
from casework.reference import CalendarCommand, PublishYear, References, Rules, SetWindows
from projections.case_map import AsOf, AtPosition, AtTime
from projections.past_handlings import Wanted, count, past
from projections.reading import Readers
from projections.tables import reading

MOST_HANDLINGS = 100_000
"""Handlings that a request looks at: some seconds. The command line knows no bound."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried: the rules that would hold, which indicator alone they touch, in words."""

    says: str
    rules: Rules
    indicator: str | None = None


# Rules that would hold -----------------------------------------------------------------------


def with_indicator(references: References, indicator: Indicator, now: datetime) -> Trial:
    """The rules of now, with this indicator. Raises Missing where nobody could work by it."""
    require_sound(indicator)
    rules = references.rules_at(now)
    changed = {**rules.catalogue.indicators, indicator.code: indicator}
    catalogue: Catalogue = msgspec.structs.replace(rules.catalogue, indicators=changed)
    return Trial(
        says=f"指标 {indicator.code} {indicator.name}",
        rules=Rules(catalogue, rules.calendar, rules.boundary_version),
        indicator=indicator.code,
    )


def with_calendar(references: References, command: CalendarCommand, now: datetime) -> Trial:
    """The rules as this change of the calendar would make them. Raises a Refusal of its stream."""
    return _trial(timely(references, command, now), references, now)


def timely(references: References, command: CalendarCommand, now: datetime) -> CalendarCommand:
    """The change from the earliest time that its stream would take."""
    earliest = [now + LEAD, *(event.effective_from for event in references.calendar[-1:])]
    return msgspec.structs.replace(command, effective_from=max(earliest))


def with_change(references: References, proposed: ProposedChange) -> Trial:
    """The rules as a change that waits would make them, were it confirmed.

    It is held to the notice it had when it was proposed: trying out may take longer than that.
    Raises NothingPending where it is decided already, Missing where it touches no limit, or a
    Refusal of the stream that it would change.
    """
    if proposed.state != "open":
        raise NothingPending("试算", "这项变更已有结论，没有待确认的内容可试算。")
    if not isinstance(proposed.change, _OF_LIMITS):
        raise Missing("change", f"「{in_words(proposed.change)}」不影响处置时限，无须试算。")
    return _trial(proposed.change, references, proposed.proposed_at)


_OF_LIMITS = (
    catalogues.AddIndicator,
    catalogues.ReviseIndicator,
    catalogues.RetireIndicator,
    PublishYear,
    SetWindows,
)


def _trial(change: Change, references: References, asked_at: datetime) -> Trial:
    assert isinstance(change, _OF_LIMITS), "asked before"
    grown = references.grown(*proposals.changes_of(change, references, asked_at))
    rules = grown.rules_at(change.effective_from)
    return Trial(says=in_words(change), rules=rules, indicator=_only(change))


def _only(change: Change) -> str | None:
    """The one indicator that the change touches; None for all."""
    match change:
        case catalogues.AddIndicator(indicator=indicator):
            return indicator.code
        case catalogues.ReviseIndicator(indicator=indicator):
            return indicator.code
        case catalogues.RetireIndicator(code=code):
            return code
        case _:
            return None


# Handlings as they stood ---------------------------------------------------------------------


def cut_of(log: Log, as_of: AsOf, now: datetime) -> Cut:
    """The moment as of which is asked; a position is given the time of the event there.

    Raises:
        ProblemError: 422 for a position beyond the end of the log.

    """
    match as_of:
        case None:
            return Cut(now)
        case AtTime(at):
            return Cut(at)
        case AtPosition(position):
            # Positions may have holes: what stood then is what the event before had left.
            found = log.since(max(position - 1, 0), 1)
            if not found or position < 1:
                raise bad("as_of", "日志中没有这个位置。")
            return Cut(found[0].at, position)


def run(
    readers: Readers,
    trial: Trial,
    wanted: Wanted,
    progress: Callable[[int], None] = lambda _n: None,
) -> DryRun:
    """Judge what is wanted by the trial's rules."""
    narrowed = msgspec.structs.replace(wanted, indicator=trial.indicator)
    with reading(readers.engine) as connection:
        return dry_run(past(connection, narrowed), trial.rules, wanted.cut.at, progress)


def run_bounded(readers: Readers, trial: Trial, wanted: Wanted) -> DryRun:
    """As `run`. Raises Missing where more than MOST_HANDLINGS would be looked at."""
    require_few(readers, msgspec.structs.replace(wanted, indicator=trial.indicator))
    return run(readers, trial, wanted)


def require_few(readers: Readers, wanted: Wanted, most: int = MOST_HANDLINGS) -> None:
    """Refuse what would take too long to answer a request."""
    with reading(readers.engine) as connection:
        found = count(connection, wanted, most)
    if found > most:
        raise Missing(
            "first",
            f"这段时间的处置超过{most:,}次，请缩短时间或限定街镇；"
            "要一次算完，请在服务器上运行 casework dry-run。",
        )
