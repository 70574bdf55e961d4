"""月度典型案例 as everybody reads them: a month, an entry, on paper, sent on. No person is in them.

What is shown, and what no longer is, is told by the API's own functions; here is only the page.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.conditional import conditional
from api.pages.frame import Frame, framed
from api.pages.rendering import HEADERS
from api.routes.cases import look
from api.routes.typical_cases import MonthPath
from api.typical_schemas import TypicalMonthLine, TypicalMonthOut, TypicalOut
from api.typical_shown import month_line, month_title, public_month
from api.visitors import keep_rate
from casework.monthly_issue import MOST_ENTRIES
from projections import typical_cases as view

router = APIRouter(include_in_schema=False)

HTML = "text/html; charset=utf-8"
GONE = frozenset({"withdrawn", "removed"})
"""States that do not come back by themselves: their pages say 410."""

WORDS = 120
"""Characters of an entry's words that are sent along with a link to it."""

EntryPath = Annotated[int, Path(ge=1, le=MOST_ENTRIES, description="第几件。")]


class Archive:
    """Every month the public has seen, the newest first, and the one that is read."""

    def __init__(self, months: list[view.Month], month: str | None) -> None:
        self.lines: tuple[TypicalMonthLine, ...] = tuple(map(month_line, months))
        self.found = next((m for m in months if month in {None, m.month}), None)
        self.month = self.found.month if self.found else month or ""

    @property
    def earlier(self) -> TypicalMonthLine | None:
        """The month before the one that is read."""
        return next((line for line in self.lines if line.month < self.month), None)

    @property
    def later(self) -> TypicalMonthLine | None:
        """The month after it."""
        return next((line for line in reversed(self.lines) if line.month > self.month), None)


async def _archive(frame: Frame, month: str | None) -> Archive:
    keep_rate(frame.parts, frame.visitor, "map", frame.parts.limits.maps)
    return Archive(await look(frame.parts, view.published), month)


def origin(frame: Frame) -> str:
    """How an address of ours begins that is read elsewhere: as the office says we are reached."""
    return (frame.parts.settings.public_url or frame.origin).rstrip("/")


@router.get("/typical-cases", name="pages.typical_cases")
async def newest(frame: Annotated[Frame, Depends(framed("pages.typical_cases"))]) -> Response:
    """The newest month; before there is one, a page that says so."""
    return await _month(frame, None)


@router.get("/typical-cases/{month}", name="pages.typical_cases")
async def month_page(
    month: MonthPath, frame: Annotated[Frame, Depends(framed("pages.typical_cases"))]
) -> Response:
    """A month that was published. Of another one, that nothing of it is public."""
    return await _month(frame, month)


async def _month(frame: Frame, month: str | None) -> Response:
    archive = await _archive(frame, month)
    if archive.found is None:
        return _nothing(frame, archive, month)
    told = public_month(frame.parts, archive.found)
    shown = [entry for entry in told.entries if entry.state == "shown"]
    response = frame.page(
        "typical_month.html",
        archive=archive,
        month=told,
        shown=len(shown),
        about=_about_month(told, len(shown)),
        url=f"{origin(frame)}/typical-cases/{told.month}",
        image=_image(frame, *shown),
    )
    return kept(frame, response)


def _nothing(frame: Frame, archive: Archive, month: str | None) -> Response:
    title = month_title(month) if month else "典型案例"
    status = 404 if month else 200
    return kept(frame, frame.page("typical_none.html", status, archive=archive, title=title))


@router.get("/typical-cases/{month}/{entry}", name="pages.typical_cases")
async def entry_page(
    month: MonthPath,
    entry: EntryPath,
    frame: Annotated[Frame, Depends(framed("pages.typical_cases"))],
) -> Response:
    """One entry. What was withdrawn or removed says so under 410, and nothing else of it."""
    archive = await _archive(frame, month)
    told = public_month(frame.parts, archive.found) if archive.found else None
    found = next((e for e in told.entries if e.entry == entry), None) if told else None
    if told is None or found is None:
        return _nothing(frame, archive, month)
    numbers = [each.entry for each in told.entries]
    at = numbers.index(entry)
    response = frame.page(
        "typical_entry.html",
        410 if found.state in GONE else 200,
        archive=archive,
        month=told,
        entry=found,
        earlier=numbers[at - 1] if at else None,
        later=numbers[at + 1] if at + 1 < len(numbers) else None,
        about=about(found),
        url=f"{origin(frame)}/typical-cases/{month}/{entry}",
        image=_image(frame, found),
    )
    return kept(frame, response)


# what is sent along with a link ----------------------------------------------------------


def about(entry: TypicalOut) -> str:
    """An entry in a sentence or two, for whoever is sent a link to it."""
    if entry.state != "shown":
        return entry.says or ""
    words = " ".join((entry.caption or "").split())
    short = words if len(words) <= WORDS else words[: WORDS - 1] + "…"
    return f"{short}（{entry.outcome_name}，用时{entry.taken}）"


def _about_month(month: TypicalMonthOut, shown: int) -> str:
    return f"海淀区随手拍{month.title}，公开{shown}件：整改前后照片、用时、怎么办的、市民评价。"


def _image(frame: Frame, *entries: TypicalOut) -> str:
    """The picture that stands beside a link: the first that shows a result, else none."""
    pictures = [picture for entry in entries for picture in (*entry.after, *entry.before)]
    return origin(frame) + pictures[0].url if pictures else ""


# asked again -----------------------------------------------------------------------------


def kept(frame: Frame, response: Response) -> Response:
    """The page with its tag: anybody may keep it and must ask again, for what is withdrawn is gone.

    Who is signed in has their name on it: theirs is theirs alone. A page that sets a cookie, or is
    an error, is sent as it is.
    """
    if response.status_code != 200 or "set-cookie" in response.headers:
        return response
    now = frame.parts.now()
    answer = conditional(frame.request, bytes(response.body), HTML, None, now)
    for name, value in HEADERS.items():
        if name != "Cache-Control":
            answer.headers[name] = response.headers.get(name, value)
    answer.headers["Vary"] = "Cookie"
    if frame.signed_in:
        answer.headers["Cache-Control"] = HEADERS["Cache-Control"]
    return answer
