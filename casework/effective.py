"""From when a change of reference data holds, and which version is in force. Knows no content.

Catalogue, calendar and boundaries are streams whose every event takes effect at a time. Those
times never go back along a stream, so the version in force at a moment is the highest one whose
time has come; a later change can touch no earlier decision.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from casework.errors import Refusal, when

LEAD = timedelta(seconds=60)
"""Notice before a change holds. Longer than the 30 s a process may lag behind before it stops
deciding, so that no process decides by a version that another no longer holds in force."""


class Effective(Protocol):
    """An event of a reference stream."""

    @property
    def effective_from(self) -> datetime: ...


@dataclass(eq=False)
class TakesEffectTooSoon(Refusal):
    """The change would hold before people and processes can know of it (生效时间过早)."""

    earliest: datetime

    def __str__(self) -> str:
        return (
            f"生效时间过早：须至少提前{int(LEAD.total_seconds())}秒，且不早于上一次变更的生效时间，"
            f"最早可填{when(self.earliest)}之后。"
        )


def require_notice(effective_from: datetime, now: datetime, last: datetime | None) -> None:
    """Refuse a change that holds sooner than `LEAD` from now, or before the stream's last one."""
    earliest = now + LEAD if last is None else max(now + LEAD, last)
    if effective_from < earliest:
        raise TakesEffectTooSoon(earliest)


def version_at(history: Sequence[Effective], moment: datetime) -> int:
    """How many events of the stream are in force at the moment: the version. 0 is none yet."""
    return bisect_right(history, moment, key=lambda event: event.effective_from)
