"""The shapes of what a 街镇 asks for and is asked: open requests, 督办 notes, what is left to ask.

Times are ISO 8601 with their offset. Words are masked. Knows no rule.
"""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from api.schemas import ActionOut, LeftOut, Wire


class GrantedOut(Wire):
    """What granting a request would do now; nothing is promised by it.

    `lines` are the arithmetic of the new due time, as the case's clock would tell it then.
    """

    action: str
    due_before: datetime | None
    due_at: datetime | None
    lines: tuple[str, ...]
    why_not: str | None = Field(default=None, description="现在不能同意的原因。")


class AskedOut(Wire):
    """A request that waits for an answer, with its clock. `mine`: this account asked.

    `more` says what is asked for, such as 延长1个自然日; `answers` are those of this visitor.
    """

    action: str
    name: str
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    mine: bool
    code: str | None
    code_text: str | None
    words: str | None
    more: str | None
    due_at: datetime | None
    remaining: str | None
    left: LeftOut | None
    overdue: bool
    granted: GrantedOut | None = None
    answers: tuple[ActionOut, ...] = ()


class NoteOut(Wire):
    """A 督办 instruction without an answer."""

    number: int
    at: datetime
    by_name: str
    words: str | None


class LeewayOut(Wire):
    """What the 街镇 may still ask for now; a time: until then, null: not, and `why_not` why."""

    return_until: datetime | None
    return_why_not: str | None
    extension_until: datetime | None
    extension_why_not: str | None
    extensions_granted: int
    extensions_most: int
    extension_longest: str | None
    suspension_until: date | None
    suspension_why_not: str | None
    appeal_until: datetime | None
    appeal_why_not: str | None


class RequestsOut(Wire):
    """The requests of a case that wait, its notes that wait, and what may still be asked for."""

    case_id: UUID
    number: str
    requests: tuple[AskedOut, ...]
    notes: tuple[NoteOut, ...]
    leeway: LeewayOut


class CaseUploadOut(Wire):
    """A photo that a handler sent by the one-time link and that no form has cited yet.

    Cite `upload`; `picture` is a small picture of it, once it was looked at.
    """

    upload: UUID
    good_until: datetime
    bytes: int
    state: str
    state_name: str
    says: str | None = None
    picture: str | None = None


class HandlerTaskOut(Wire):
    """What the holder of a one-time link is told: where, what, until when. No person, no words."""

    number: str
    street_name: str | None
    indicator_name: str | None
    standard: str | None
    place_name: str
    lon: float
    lat: float
    near: str | None = Field(description="最近的已知地点。")
    due_at: datetime | None
    remaining: str | None
    left: LeftOut | None
    handler: str
    uploads: tuple[CaseUploadOut, ...]
