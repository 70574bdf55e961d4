"""What the desk of typical cases sees of an entry: each step, whose turn it is, and why not yours.

Asks the API's own functions. Says before a button is pressed what the rules would say after; the
rules are asked all the same.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

import msgspec
from starlette.responses import Response

from api.access import may_see
from api.door import Door
from api.pages.frame import Frame
from api.pages.posted import Posted
from api.pages.refusing import Refused, Wrong
from api.pages.rendering import of_case
from api.pages.submitting import submitted
from api.routes.photos import list_photos
from api.routes.typical_cases import Sent, desk
from api.schemas import FileOut, PhotoOut, RedactionOut
from api.typical_schemas import DeskEntryOut, IssueDeskOut
from casework.errors import UnknownCase

HOME = "/desk/typical-cases"

T = TypeVar("T")

LABELS: Mapping[str, str] = {
    "case": "案件编号",
    "title": "标题",
    "caption": "说明",
    "before": "整改前的照片",
    "after": "整改后的照片",
    "alt": "照片的文字说明",
    "why": "更正原因",
    "code": "撤回原因",
    "words": "撤回说明",
    "boxes": "遮盖框",
    "looked": "看过整张照片",
}


# carrying out ----------------------------------------------------------------------------


async def carried(action: str, posted: Posted, call: Callable[[], Awaitable[T]]) -> T | Refused:
    """What the API's function answers, or why it refuses, under the labels of this desk."""
    return await submitted(action, posted, call, label=_label)


def _label(_action: str, field: str) -> str:
    return LABELS.get(field.partition(".")[0], "")


def not_filled(action: str, posted: Posted, *wrong: Wrong) -> Refused:
    """A form in which something is not filled in that the page asks for."""
    return Refused(
        action=action,
        status=422,
        title="请检查填写的内容",
        says="",
        wrong=wrong,
        values=posted.values,
    )


def sent(frame: Frame, posted: Posted, version: int | None) -> Sent:
    """A step as the API takes it, on the version that was seen."""
    match = None if version is None else f'"{version}"'
    return Sent(frame.request, Response(), posted.key, match)


async def caught_up(frame: Frame) -> None:
    """Wait until the views have what was just done, so that the next page shows it."""
    parts = frame.parts
    head = await Door(parts).in_thread(parts.casework.eventlog.head)
    await parts.feed.seen(head)


# a month ---------------------------------------------------------------------------------


class Work:
    """A month at the desk, and what this visitor may do there."""

    def __init__(self, frame: Frame, issue: IssueDeskOut) -> None:
        self.issue = issue
        self.month = issue.month
        self.me = frame.visitor.principal.actor().id
        self.may = {
            step: frame.may(f"typical_cases.{step}")
            for step in ("proposal", "nominate", "redact", "approve", "publish", "withdraw")
        }
        self.may["cover"] = frame.may("cases.redact")
        self.may["confirm"] = frame.may("cases.confirm_redaction")

    def of(self, *stages: str) -> list[DeskEntryOut]:
        """The entries that stand at these stages."""
        return [entry for entry in self.issue.entries if entry.stage in stages]

    def entry(self, number: int) -> DeskEntryOut | None:
        """An entry by its number."""
        return next((entry for entry in self.issue.entries if entry.entry == number), None)

    def path(self, entry: DeskEntryOut | int) -> str:
        """The page of an entry."""
        number = entry if isinstance(entry, int) else entry.entry
        return f"{HOME}/{self.month}/{number}"

    @property
    def publishable(self) -> bool:
        """Whether a publication would go through, as far as can be seen now."""
        approved = self.of("approved")
        return bool(approved) and not any(entry.against for entry in approved)

    def why_not_approve(self, entry: DeskEntryOut) -> str:
        """Why this visitor does not approve this entry; empty where they may."""
        if entry.stage == "approved":
            return "已经批准，待发布。"
        if entry.stage != "redacted":
            return "还没有处理好的稿件，请先完成前面的步骤。"
        if not self.may["approve"]:
            return "由融媒编辑批准。"
        if self.me == entry.nominated_by:
            return "案例由您推荐，须由另一位编辑批准。"
        if self.me in entry.redacted_by:
            return "稿件由您处理，须由另一位编辑批准。"
        return ""


async def work_of(frame: Frame, month: str, entry: int | None = None) -> Work:
    """The month, or one entry of it, as the API tells it to this visitor."""
    told = await desk(month, Response(), frame.parts, frame.visitor, None, entry)
    return Work(frame, told)


def digest_of(entry: DeskEntryOut) -> str:
    """What tells whether an entry is still as it was shown."""
    return blake2b(entry.model_dump_json().encode(), digest_size=9).hexdigest()


def seen_version(work: Work, entry: DeskEntryOut, posted: Posted) -> int | None:
    """The version to decide on: another entry's step is no reason to write this one again."""
    same = posted.one("was") == digest_of(entry)
    return work.issue.version if same else posted.version


# the photos of an entry ------------------------------------------------------------------


class Shot:
    """A chosen photo of an entry: how far its covering is, and who did what."""

    def __init__(
        self, photo: PhotoOut, case: str, when: str, number: int, names: Mapping[str, str]
    ) -> None:
        self.upload = photo.upload
        self._case = case
        self.photo = photo
        self.name = f"{when}照片{number}"
        self.newest: RedactionOut | None = photo.redactions[-1] if photo.redactions else None
        self._names = names

    @property
    def covered(self) -> bool:
        return self.newest is not None

    @property
    def confirmed(self) -> bool:
        return self.newest is not None and self.newest.confirmed_by is not None

    @property
    def covered_by(self) -> str:
        """Who covered it, by name."""
        return self._name(self.newest.redacted_by) if self.newest else ""

    @property
    def confirmed_by(self) -> str:
        """Who looked at it afterwards, by name."""
        by = self.newest.confirmed_by if self.newest else None
        return self._name(by) if by else ""

    @property
    def state(self) -> str:
        """How far it is, in words."""
        if self.photo.state != "ready":
            return self.photo.says or self.photo.state_name
        if self.confirmed:
            return f"已遮盖（{self.covered_by}），已确认（{self.confirmed_by}）"
        if self.newest:
            return f"已遮盖（{self.covered_by}），待另一人确认"
        return "待遮盖"

    def why_not_confirm(self, work: Work) -> str:
        """Why this visitor does not confirm its covering; empty where they may."""
        if self.newest is None:
            return "还没有遮盖，请先遮盖。"
        if self.confirmed:
            return f"已由{self.confirmed_by}确认。"
        if not work.may["confirm"]:
            return "由另一位融媒编辑或审核员确认。"
        if self.newest.redacted_by == work.me:
            return "遮盖由您完成，须由另一人看过后确认。"
        return ""

    def picture(self, kind: str) -> FileOut | None:
        """One of its pictures, as a page fetches it."""
        file: FileOut | None = getattr(self.photo, kind)
        if file is None:
            return None
        return file.model_copy(update={"url": of_case(file.url, self._case)})

    def _name(self, account: str) -> str:
        return self._names.get(account, account)


class Shots:
    """The chosen photos of an entry. `hidden` says why none can be looked at."""

    def __init__(self, before: Sequence[Shot], after: Sequence[Shot], hidden: str = "") -> None:
        self.before = before
        self.after = after
        self.hidden = hidden

    @property
    def all(self) -> tuple[Shot, ...]:
        return (*self.before, *self.after)

    @property
    def ready(self) -> bool:
        """Whether every one of them is covered and confirmed."""
        return not self.hidden and all(shot.confirmed for shot in self.all)

    def count(self, what: str) -> int:
        """How many are covered, or confirmed."""
        return sum(bool(getattr(shot, what)) for shot in self.all)

    def of(self, upload: UUID) -> Shot | None:
        """One of them by its upload."""
        return next((shot for shot in self.all if shot.upload == upload), None)


async def shots_of(frame: Frame, entry: DeskEntryOut) -> Shots:
    """The photos that were chosen for an entry, as far as this visitor may see them."""
    if not (entry.before or entry.after):
        return Shots((), ())
    try:
        found = await list_photos(str(entry.case_id), frame.parts, frame.visitor, None)
    except UnknownCase:
        return Shots((), (), "案件已重新办理，照片现在不能查看。")
    photos = {photo.upload: photo for photo in found.photos}
    names = await _names(frame, found.photos)

    def shots(uploads: Sequence[UUID], when: str) -> list[Shot]:
        return [
            Shot(photos[upload], entry.number, when, number, names)
            for number, upload in enumerate(uploads, 1)
            if upload in photos
        ]

    return Shots(shots(entry.before, "整改前"), shots(entry.after, "整改后"))


async def _names(frame: Frame, photos: Sequence[PhotoOut]) -> Mapping[str, str]:
    ids = {
        account
        for photo in photos
        for redaction in photo.redactions
        for account in (redaction.redacted_by, redaction.confirmed_by)
        if account
    }
    return await frame.names_of(sorted(ids))


async def may_look(frame: Frame, entry: DeskEntryOut) -> bool:
    """Whether this visitor may open the case itself."""
    try:
        loaded = await Door(frame.parts).loaded(entry.case_id)
    except UnknownCase:
        return False
    return may_see(frame.visitor.principal.actor(), loaded.case)


# what stands against an entry ------------------------------------------------------------


class Against(msgspec.Struct, frozen=True):
    """A reason against showing an entry, and where on the desk something can be done about it."""

    says: str
    path: str
    way: str


def against(work: Work, entry: DeskEntryOut) -> tuple[Against, ...]:
    """The API's reasons, each with the step that is missing."""
    return tuple(_against(work.path(entry), says) for says in entry.against)


def _against(path: str, says: str) -> Against:
    if "遮盖" in says or "又有改动" in says:
        return Against(says, f"{path}#cover", "去遮盖和确认")
    if "评价" in says or "复核" in says:
        return Against(says, f"{path}#withdraw", "等复核或评价有结果；不再公开的，去撤回")
    return Against(says, f"{path}#withdraw", "去撤回")


def against_publishing(work: Work, says: str) -> tuple[Against, ...]:
    """A refused publication taken apart: 第3件: … leads to the third entry's missing step."""
    found = []
    for reason in says.partition(": ")[2].split("；"):
        head, _, words = reason.partition(": ")
        number = head.removeprefix("第").removesuffix("件")
        if number.isascii() and number.isdigit() and work.entry(int(number)):
            told = _against(work.path(int(number)), words)
            found.append(msgspec.structs.replace(told, says=f"{head}：{words}"))
        else:
            found.append(Against(reason, f"{HOME}/{work.month}", "看本月案例"))
    return tuple(found)
