"""The shapes of typical cases: what the public sees, what the desk sees, what is sent in.

Times are ISO 8601 with their offset. Knows no rule.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.desk_schemas import NOTHING_PERSONAL
from api.hygiene import Code, Line, Prose, Remark
from api.schemas import Wire
from casework.monthly_issue import (
    MOST_ALT,
    MOST_CAPTION,
    MOST_ENTRIES,
    MOST_PHOTOS,
    MOST_TITLE,
    MOST_WORDS,
)

Caption = Annotated[
    Prose, StringConstraints(max_length=MOST_CAPTION), Field(description=NOTHING_PERSONAL)
]
Words = Annotated[
    Remark, StringConstraints(max_length=MOST_WORDS), Field(description=NOTHING_PERSONAL)
]
Title = Annotated[
    Line, StringConstraints(max_length=MOST_TITLE), Field(description=NOTHING_PERSONAL)
]
Alt = Annotated[
    Line,
    StringConstraints(min_length=1, max_length=MOST_ALT),
    Field(description=NOTHING_PERSONAL),
]
Uploads = Annotated[tuple[UUID, ...], Field(max_length=MOST_PHOTOS)]
EntryNumber = Annotated[int, Field(ge=1, le=MOST_ENTRIES, strict=True)]


# what comes in ---------------------------------------------------------------------------


class NominateIn(Wire):
    """A case for the month's issue: its id or number, a caption, and which photos to show."""

    case: Annotated[str, Field(min_length=1, max_length=40)]
    caption: Caption
    before: Uploads = ()
    after: Uploads = ()


class RedactEntryIn(Wire):
    """The entry as it shall be shown. Without `before` or `after`, the photos nominated.

    `title` and `alt` not given stay as they were; an empty title is that of 街镇 and indicator.
    `alt` says by upload what a photo shows. `why` is needed, and shown, where the entry is public
    already: a correction.
    """

    entry: EntryNumber
    caption: Caption
    title: Title | None = None
    before: Uploads | None = None
    after: Uploads | None = None
    alt: Annotated[dict[UUID, Alt], Field(max_length=2 * MOST_PHOTOS, default_factory=dict)]
    why: Words = ""


class ApproveEntryIn(Wire):
    entry: EntryNumber


class WithdrawEntryIn(Wire):
    """The code is one of W…; the words are shown with it."""

    entry: EntryNumber
    code: Code
    words: Words = ""


# what the public sees --------------------------------------------------------------------


class PictureOut(Wire):
    """A redacted picture; `alt` says what it shows for those who cannot see it."""

    url: str
    alt: str


class CorrectionOut(Wire):
    """What was public until then, and why it was corrected."""

    until: datetime
    caption: str
    why: str


class TypicalOut(Wire):
    """An entry. What is not `shown` says why, and tells nothing else.

    `minutes` are from report to accepted hand-over, by the wall; grades are means, 1 to 5.
    """

    id: str
    entry: int
    state: str
    state_name: str
    says: str | None = None
    title: str
    street: str | None = None
    street_name: str | None = None
    indicator: str | None = None
    indicator_name: str | None = None
    caption: str | None = None
    outcome: str | None = None
    outcome_name: str | None = None
    minutes: int | None = None
    taken: str | None = None
    satisfaction: float | None = None
    efficiency: float | None = None
    raters: int | None = None
    before: tuple[PictureOut, ...] = ()
    after: tuple[PictureOut, ...] = ()
    corrections: tuple[CorrectionOut, ...] = ()
    demonstration: bool = False
    published_at: datetime
    updated_at: datetime


class TypicalMonthOut(Wire):
    """A published month. `updated_at` is when anything of it last changed for the public."""

    month: str
    title: str
    publications: int
    published_at: datetime
    updated_at: datetime
    entries: tuple[TypicalOut, ...]


class TypicalMonthLine(Wire):
    month: str
    title: str
    shown: int
    published_at: datetime
    updated_at: datetime


class TypicalMonthsOut(Wire):
    months: tuple[TypicalMonthLine, ...]


# what the desk sees ----------------------------------------------------------------------


class DeskEntryOut(Wire):
    """An entry as the desk sees it. `against` is what stands against showing it now.

    `alt` tells by upload what the editor wrote of a photo. `correcting`: something of it is public,
    and a draft would correct that. `must_withdraw`: hidden from the public already; the fact is
    still to be recorded.
    """

    entry: int
    case_id: UUID
    number: str
    stage: str
    stage_name: str
    title: str
    caption: str
    why: str
    before: tuple[UUID, ...]
    after: tuple[UUID, ...]
    alt: dict[UUID, str]
    nominated_by: str
    nominated_by_name: str
    nominated_at: datetime
    redacted_by: tuple[str, ...]
    redacted_by_names: tuple[str, ...]
    approved_by: str | None
    approved_by_name: str | None
    published_at: datetime | None
    correcting: bool
    withdrawn_code: str | None
    withdrawn_words: str
    withdrawn_at: datetime | None
    against: tuple[str, ...]
    must_withdraw: bool


class IssueDeskOut(Wire):
    """A month at the desk. `version` goes into If-Match."""

    month: str
    version: int
    publications: int
    published_at: datetime | None
    entries: tuple[DeskEntryOut, ...]
    position: int | None = None


class StageCount(Wire):
    stage: str
    stage_name: str
    entries: int


class IssueLine(Wire):
    """A month on the board. `must_withdraw` counts what is hidden and still to be recorded."""

    month: str
    title: str
    stages: tuple[StageCount, ...]
    must_withdraw: int
    published_at: datetime | None


class IssuesDeskOut(Wire):
    months: tuple[IssueLine, ...]


class ProposedOut(Wire):
    case_id: UUID
    number: str
    street: str | None
    street_name: str | None
    indicator: str | None
    indicator_name: str | None
    score: float
    because: tuple[str, ...]
    satisfaction: float
    efficiency: float
    minutes: int | None
    before: tuple[UUID, ...]
    after: tuple[UUID, ...]
    demonstration: bool


class ProposalOut(Wire):
    """Cases in the order of the proposal; `fit` is how many there were to choose from."""

    month: str
    fit: int
    proposed: tuple[ProposedOut, ...]
    rule: str
    as_of: int


class ConsentOut(Wire):
    """Whether this reporter's photos of the case may be published."""

    case_id: UUID
    publication: bool
    position: int
