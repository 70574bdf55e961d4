"""Typical cases as they stand in the log, and what is found out about a case before it is shown.

All of it may wait for a disk. A last look reads the log itself, never a view: a case reopened a
moment ago is seen. What comes after the look is the view's to hide. Knows no route.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec

from api.accounts.errors import NotThere
from api.parts import Parts
from api.shown import indicator_name, name_of_street
from api.small_streams import Asked, carry_out, readable
from casework import candidates, events, monthly_issue
from casework.candidates import Candidate
from casework.errors import Missing, Stale
from casework.log.port import Log, Recorded, stream_id
from casework.monthly_issue import (
    WITHDRAWAL,
    Command,
    Entry,
    Issue,
    LastLook,
    Picture,
    Publish,
    Shown,
    pending,
)
from geo.grid import cell_at

ERASED = "反映人已要求删除个人信息。"
CHANGED = "照片在处理之后又有改动，请重新处理。"


def issue_stream(month: str) -> UUID:
    """The stream of a month, such as 2026-05."""
    return stream_id(f"issue/{month}")


def consent_stream(case_id: UUID) -> UUID:
    """The stream beside a case of consents taken back."""
    return stream_id(f"consent/{case_id}")


def read_issue(log: Log, month: str) -> Issue:
    """The month as the log tells it now, without what it told of the erased. Raises Unreadable."""
    history = readable(log.history(issue_stream(month)))
    issue = monthly_issue.fold([(cast("monthly_issue.Event", r.event), r.at) for r in history])
    for person in {person for entry in issue.entries.values() for person in entry.persons}:
        at = erased_at(log, person)
        issue = issue if at is None else monthly_issue.erased(issue, person, at)
    return issue


def record(
    parts: Parts,
    month: str,
    asked: Asked,
    expect: int | None,
    command_for: Callable[[Issue], Command],
) -> tuple[Issue, int]:
    """Carry out a command on a month; the month as it stands then, and the fact's position.

    `expect` is the version that was seen. Raises a Refusal of the rules, Stale, NotThere for an
    entry that never was, KeyReused, Contended.
    """
    log = parts.casework.eventlog
    codes = parts.casework.references.rules_at(asked.at).catalogue.family(WITHDRAWAL)

    def decide() -> tuple[int, Sequence[msgspec.Struct]]:
        issue = read_issue(log, month)
        if expect is not None and expect != issue.version:
            raise Stale(expect, issue.version, "本月典型案例")
        command = command_for(issue)
        number = getattr(command, "entry", None)
        if number is not None and number not in issue.entries:
            raise NotThere("这件典型案例")
        return issue.version, monthly_issue.decide(issue, month, command, asked.by, asked.at, codes)

    done = carry_out(log, issue_stream(month), decide, asked)
    return read_issue(log, month), done.position


# before anything is shown ----------------------------------------------------------------


def candidate_of(parts: Parts, case_id: UUID) -> Candidate | None:
    """What a typical case may tell of this case, from the log; without consents taken back."""
    return candidate_in(parts, case_id, parts.casework.history(case_id))


def candidate_in(parts: Parts, case_id: UUID, history: Sequence[Recorded]) -> Candidate | None:
    """The same, of the case's history that was read already."""
    found = candidates.fold((cast("events.Event", r.event), r.at) for r in readable(history))
    for recorded in readable(parts.casework.eventlog.history(consent_stream(case_id))):
        event = recorded.event
        if found is not None and isinstance(event, events.PublicationConsentWithdrawn):
            found = candidates.with_consent(found, event.person, given=False)
    return found


def erased_at(log: Log, person: UUID) -> datetime | None:
    """When the person was erased, by the log; None for most."""
    for recorded in log.history(stream_id(f"person/{person}")):
        if isinstance(recorded.event, events.PersonErased):
            return recorded.at
    return None


def require_not_erased(parts: Parts, candidate: Candidate) -> None:
    """Raises Missing where a reporter of the case was erased: it is no example any more."""
    if erased_at(parts.casework.eventlog, candidate.person) is not None:
        raise Missing("case", f"不能推荐: {ERASED}")


def pictures(
    parts: Parts, entry: Entry, uploads: Sequence[UUID], alt: Mapping[UUID, str]
) -> tuple[Picture, ...]:
    """The redacted pictures of these uploads, each with what it shows where that is told.

    Raises Missing where one is not looked at yet.
    """
    return tuple(
        Picture(upload, parts.public_photos.publishable(entry.case, upload), alt.get(upload, ""))
        for upload in uploads
    )


def look_at(parts: Parts, entry: Entry) -> LastLook:
    """What stands against showing an entry now, and what would be shown of it."""
    candidate = candidate_of(parts, entry.case)
    log = parts.casework.eventlog
    gone = any(erased_at(log, person) is not None for person in entry.persons)
    against = [ERASED] if gone else []
    chosen = (*entry.pictures_before, *entry.pictures_after)
    if chosen:
        uploads = [picture.upload for picture in chosen]
        found = parts.public_photos.publishable_each(entry.case, uploads)
        for picture, name in zip(chosen, found, strict=True):
            if isinstance(name, Missing):
                against.append(str(name))
            elif name != picture.name:
                against.append(CHANGED)
    return LastLook(
        candidate=candidate,
        shown=None if candidate is None else _shown(parts, entry, candidate),
        against=tuple(dict.fromkeys(against)),
    )


def _shown(parts: Parts, entry: Entry, case: Candidate) -> Shown | None:
    if case.street is None or case.indicator is None or case.outcome is None:
        return None
    lon, lat = cell_at(case.lon, case.lat).centre()
    return Shown(
        entry=entry.number,
        street=case.street,
        street_name=name_of_street(parts, case.street),
        indicator=case.indicator,
        indicator_name=indicator_name(parts, case.indicator) or case.indicator,
        outcome=case.outcome,
        minutes=case.minutes or 0,
        satisfaction=case.satisfaction,
        efficiency=case.efficiency,
        raters=len(case.said),
        lon=lon,
        lat=lat,
        demonstration=case.demonstration,
    )


def publication(parts: Parts, issue: Issue) -> Publish:
    """The command that publishes what is approved, after a look at each."""
    seen = parts.casework.eventlog.head()
    looks = {entry.number: look_at(parts, entry) for entry in pending(issue)}
    return Publish(looks=looks, seen=seen)
