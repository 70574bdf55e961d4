"""遮盖照片: rectangles drawn on a photo or written in percent, and the second person's look.

The form is numbers; a script lets them be drawn. What is drawn goes through the API's own
functions, which make a new picture: the original is never drawn on.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.evidence_schemas import BoxesOut, BoxIn, ConfirmedOut, ConfirmIn, RedactedOut, RedactIn
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import Refused, Wrong
from api.pages.typical import EntryPath
from api.pages.typical_work import (
    HOME,
    Shot,
    Work,
    carried,
    caught_up,
    not_filled,
    shots_of,
    work_of,
)
from api.problems import ProblemError
from api.redacting import no_such_photo
from api.routes.photos import UploadRef, confirm_redaction, propose_boxes, redact
from api.routes.typical_cases import MonthPath
from api.typical_schemas import DeskEntryOut
from api.typical_shown import month_title
from casework.errors import Refusal
from evidence.redaction import MOST_BOXES, WORDS, What

router = APIRouter(include_in_schema=False)

OnDesk = Annotated[Frame, Depends(framed("pages.typical_desk"))]

EMPTY_ROWS = 4
"""Rows to write in that are offered beyond those that are filled."""

FIELDS = ("left", "top", "width", "height")
NAMES = {"left": "距左边", "top": "距上边", "width": "宽", "height": "高"}
HUNDRED = Decimal(100)


class Row(msgspec.Struct, frozen=True):
    """A rectangle as the form has it: texts in percent of the picture, and whether it is kept."""

    left: str = ""
    top: str = ""
    width: str = ""
    height: str = ""
    what: str = "by_hand"
    score: str = "1"
    keep: bool = True

    @property
    def written(self) -> bool:
        """Whether anything stands in it."""
        return any((self.left, self.top, self.width, self.height))

    @property
    def drawn(self) -> tuple[Decimal, ...] | None:
        """Left, top, width and height as they are drawn; None where they cannot be."""
        parts = [_percent(getattr(self, name)) for name in FIELDS]
        found = tuple(part for part in parts if part is not None)
        return found if self.keep and len(found) == len(FIELDS) else None

    @property
    def proposed(self) -> str:
        """What a model saw there; empty for what a person drew."""
        return "" if self.what == What.BY_HAND else WORDS[What(self.what)]


def row_of(box: BoxIn) -> Row:
    """A rectangle of the API in percent, its edges outwards to a hundredth: never less is covered.

    A hundredth is finer than a pixel of any display picture.
    """
    left, top = (_hundredth(part, ROUND_FLOOR) for part in (box.left, box.top))
    right, bottom = (_hundredth(part, ROUND_CEILING) for part in (box.right, box.bottom))
    return Row(
        left=_written(left),
        top=_written(top),
        width=_written(right - left),
        height=_written(bottom - top),
        what=box.what,
        score=f"{box.score:g}",
    )


def _written(percent: Decimal) -> str:
    return f"{percent.normalize():f}"


def _hundredth(part: float, outwards: str) -> Decimal:
    return (Decimal(str(part)) * 100).quantize(Decimal("0.01"), outwards)


def posted_rows(posted: Posted) -> list[Row]:
    """The rows that were posted, in their order; empty ones too."""
    told = posted.one("rows")
    count = min(int(told), MOST_BOXES) if told.isascii() and told.isdigit() else 0
    known = {str(what) for what in What}
    rows = []
    for n in range(count):
        what, score = posted.one(f"what.{n}", "by_hand"), posted.one(f"score.{n}", "1")
        rows.append(
            Row(
                **{name: posted.one(f"{name}.{n}")[:12] for name in FIELDS},
                what=what if what in known else "by_hand",
                score=score[:20],
                keep=bool(posted.one(f"keep.{n}")),
            )
        )
    return rows


def boxes_of(rows: Sequence[Row]) -> tuple[list[dict[str, object]], list[Wrong]]:
    """The kept rows as the API takes them, in parts of the picture; or what is wrong with them."""
    boxes: list[dict[str, object]] = []
    wrong: list[Wrong] = []
    for n, row in enumerate(rows):
        if not (row.keep and row.written):
            continue
        parts = {name: _percent(getattr(row, name)) for name in FIELDS}
        bad = [name for name, part in parts.items() if part is None]
        wrong += [
            Wrong(f"{name}.{n}", f"第{n + 1}处{NAMES[name]}", "请填0到100的数字。") for name in bad
        ]
        left, top, width, height = (parts[name] or Decimal() for name in FIELDS)
        if not bad and (
            left + width > HUNDRED or top + height > HUNDRED or not width or not height
        ):
            says = "超出了照片，或大小为零：左边加宽、上边加高都不能超过100，宽和高要大于0。"
            wrong.append(Wrong(f"left.{n}", f"第{n + 1}处", says))
        boxes.append(
            {
                "left": float(left / 100),
                "top": float(top / 100),
                "right": float((left + width) / 100),
                "bottom": float((top + height) / 100),
                "what": row.what,
                "score": _score(row.score),
            }
        )
    return boxes, wrong


def _percent(text: str) -> Decimal | None:
    try:
        value = Decimal(text.removesuffix("%").strip() or "x")
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value <= HUNDRED else None


def _score(text: str) -> float:
    """The model's own word on its proposal, as it was handed out; 1 for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return 1.0
    return float(value) if value.is_finite() and 0 <= value <= 1 else 1.0


# pages -----------------------------------------------------------------------------------

PATH = HOME + "/{month}/{entry}/photos/{upload}"


async def _shot(
    frame: Frame, month: str, number: int, upload: UUID
) -> tuple[Work, DeskEntryOut, Shot]:
    """The month, the entry and the photo. Raises ProblemError: 404."""
    work = await work_of(frame, month, number)
    entry = work.entry(number)
    if entry is None:
        raise no_such_photo()
    shots = await shots_of(frame, entry)
    shot = shots.of(upload)
    if shot is None:
        raise no_such_photo()
    return work, entry, shot


async def _page(
    frame: Frame,
    work: Work,
    entry: DeskEntryOut,
    shot: Shot,
    *,
    rows: list[Row] | None = None,
    refused: Refused | None = None,
    looked: bool = False,
) -> Response:
    told, busy = await _proposed(frame, work, entry, shot)
    editing = rows is not None
    if rows is None:
        known = told.drawn or told.boxes if told else ()
        rows = [row_of(box) for box in known]
    if refused is None or refused.action != "redact":  # a refused row keeps its place
        rows = [*(row for row in rows if row.written), *[Row()] * EMPTY_ROWS][:MOST_BOXES]
    return frame.form_page(
        "typical_photo.html",
        refused,
        work=work,
        entry=entry,
        title=month_title(work.month),
        shot=shot,
        picture=shot.picture("display"),
        covered=shot.picture("redacted"),
        rows=rows,
        says=told.says if told else busy,
        names=NAMES,
        looked=looked,
        editing=editing,
        why_not=shot.why_not_confirm(work),
        path=f"{work.path(entry)}/photos/{shot.upload}",
    )


async def _proposed(
    frame: Frame, work: Work, entry: DeskEntryOut, shot: Shot
) -> tuple[BoxesOut | None, str]:
    """What models propose and what was drawn before; or why there is nothing of it."""
    if not work.may["cover"] or shot.photo.state != "ready":
        return None, ""
    try:
        told = await propose_boxes(str(entry.case_id), shot.upload, frame.parts, frame.visitor)
    except (ProblemError, Refusal):
        return None, "自动标注暂时不可用，请直接手工框选，或稍后刷新。"
    return told, ""


@router.get(PATH, name="pages.typical_desk")
async def photo_page(
    month: MonthPath, entry: EntryPath, upload: UploadRef, frame: OnDesk
) -> Response:
    """The photo with its rectangles, and its covered form with the second person's button."""
    return await _page(frame, *await _shot(frame, month, entry, upload))


@router.post(PATH + "/redact", name="pages.typical_desk")
async def cover(month: MonthPath, entry: EntryPath, upload: UploadRef, frame: OnDesk) -> Response:
    """遮盖: a new picture with these rectangles filled. `do=more` only asks for more rows."""
    posted = await frame.posted()
    frame.permit("cases.redact")
    work, found, shot = await _shot(frame, month, entry, upload)
    rows, looked = posted_rows(posted), bool(posted.one("looked"))
    if posted.one("do") == "more":
        return await _page(frame, work, found, shot, rows=rows, looked=looked)
    boxes, wrong = boxes_of(rows)
    if wrong:
        refused = not_filled("redact", posted, *wrong)
        return await _page(frame, work, found, shot, rows=rows, refused=refused, looked=looked)

    async def call() -> RedactedOut:
        form = RedactIn.model_validate_json(msgspec.json.encode({"boxes": boxes, "looked": looked}))
        return await redact(
            str(found.case_id), upload, form, frame.request, frame.parts, frame.visitor, posted.key
        )

    done = await carried("redact", posted, call)
    if isinstance(done, Refused):
        return await _page(frame, work, found, shot, rows=rows, refused=done, looked=looked)
    await caught_up(frame)
    said = f"{shot.name}已遮盖{len(boxes)}处，请看结果，再请另一人确认。"
    return frame.go(f"{work.path(entry)}/photos/{upload}#covered", said)


@router.post(PATH + "/confirm", name="pages.typical_desk")
async def confirm(month: MonthPath, entry: EntryPath, upload: UploadRef, frame: OnDesk) -> Response:
    """确认遮盖: a second person found nothing left to cover."""
    posted = await frame.posted()
    frame.permit("cases.confirm_redaction")
    work, found, shot = await _shot(frame, month, entry, upload)

    async def call() -> ConfirmedOut:
        number = posted.one("number")
        wanted = {
            "number": int(number) if number.isascii() and number.isdigit() else number,
            "looked": bool(posted.one("looked")),
        }
        form = ConfirmIn.model_validate_json(msgspec.json.encode(wanted))
        return await confirm_redaction(
            str(found.case_id), upload, form, frame.request, frame.parts, frame.visitor, posted.key
        )

    done = await carried("confirm", posted, call)
    if isinstance(done, Refused):
        return await _page(frame, work, found, shot, refused=done)
    await caught_up(frame)
    return frame.go(f"{work.path(entry)}#cover", f"{shot.name}的遮盖已确认。")
