"""Typical cases in the words the public reads, and what each part of a page is called. No rule."""

from datetime import datetime

from api.parts import Parts
from api.typical_schemas import (
    CorrectionOut,
    PictureOut,
    TypicalMonthLine,
    TypicalMonthOut,
    TypicalOut,
)
from casework.monthly_issue import Entry, Picture, Shown
from projections.timeline_words import OUTCOMES
from projections.typical_cases import Doubt, Month, Standing

STATES = {
    "shown": "公开",
    "paused": "暂停展示",
    "withdrawn": "已撤回",
    "removed": "已移除",
}

HIDDEN = {
    Doubt.RECHECKING: ("paused", "案件正在复核，暂停展示。"),
    Doubt.REOPENED: ("withdrawn", "案件已重新办理，停止展示。"),
    Doubt.CONSENT: ("removed", "反映人不再同意公开，停止展示。"),
    Doubt.ERASED: ("removed", "应当事人要求移除。"),
}

_HOUR, _DAY = 60, 24 * 60


def month_title(month: str) -> str:
    """Such as 2026年5月典型案例."""
    year, number = month.split("-")
    return f"{year}年{int(number)}月典型案例"


def entry_id(month: str, entry: int) -> str:
    """The name of an entry for everybody: month and number, such as 202605-03."""
    return f"{month.replace('-', '')}-{entry:02d}"


def length_of(minutes: int) -> str:
    """Such as 1天3小时20分."""
    days, rest = divmod(minutes, _DAY)
    hours, left = divmod(rest, _HOUR)
    parts = [f"{days}天" if days else "", f"{hours}小时" if hours else "", f"{left}分"]
    return "".join(parts)


def _withdrawn(parts: Parts, entry: Entry, at: datetime) -> str:
    """The coded reason in the words it had when it was given."""
    code = entry.withdrawn_code or ""
    known = parts.casework.references.rules_at(at).catalogue.codes.get(code)
    reason = f"已撤回: {known.text if known else code}（{code}）。"
    return reason + entry.withdrawn_words


def _hidden(parts: Parts, standing: Standing) -> tuple[str, str]:
    """State and sentence of an entry that may not be shown."""
    entry = standing.entry
    if standing.doubt is Doubt.ERASED:
        return HIDDEN[Doubt.ERASED]
    if entry.withdrawn_at is not None:
        return "withdrawn", _withdrawn(parts, entry, entry.withdrawn_at)
    assert standing.doubt is not None, "what is hidden has a reason"
    return HIDDEN[standing.doubt]


def alt_of(picture: Picture, shown: Shown, when: str, number: int) -> str:
    """What stands in a picture's place: what the editor wrote, else where in the entry it is."""
    return picture.alt or f"{shown.street_name}{shown.indicator_name}，{when}照片{number}"


def title_of(shown: Shown) -> str:
    """What an entry is called: what the editor wrote, else its 街镇 and indicator."""
    return shown.title or f"{shown.street_name}·{shown.indicator_name}"


def _pictures(
    base: str, pictures: tuple[Picture, ...], shown: Shown, when: str
) -> tuple[PictureOut, ...]:
    return tuple(
        PictureOut(url=f"{base}/{picture.name}", alt=alt_of(picture, shown, when, n))
        for n, picture in enumerate(pictures, 1)
    )


def public_entry(
    parts: Parts, month: str, standing: Standing, photos: str | None = None
) -> TypicalOut:
    """An entry that was public once, as it may be shown now.

    `photos` is where its pictures are fetched, if not through its month.
    """
    base = photos or f"/api/v1/typical-cases/{month}/photos"
    entry, shown = standing.entry, standing.shown
    published_at, updated_at = entry.published_at, standing.changed_at
    assert published_at is not None and updated_at is not None, "it was public once"
    name = entry_id(month, entry.number)
    if shown is None:
        state, says = _hidden(parts, standing)
        return TypicalOut(
            id=name,
            entry=entry.number,
            state=state,
            state_name=STATES[state],
            says=says,
            title=f"【{STATES[state]}】{month_title(month)}第{entry.number}件",
            published_at=published_at,
            updated_at=updated_at,
        )
    return TypicalOut(
        id=name,
        entry=entry.number,
        state="shown",
        state_name=STATES["shown"],
        says=f"已更正: {shown.why}" if entry.earlier else None,
        title=title_of(shown),
        street=shown.street,
        street_name=shown.street_name,
        indicator=shown.indicator,
        indicator_name=shown.indicator_name,
        caption=shown.caption,
        outcome=shown.outcome,
        outcome_name=OUTCOMES[shown.outcome],
        minutes=shown.minutes,
        taken=length_of(shown.minutes),
        satisfaction=shown.satisfaction,
        efficiency=shown.efficiency,
        raters=shown.raters,
        before=_pictures(base, shown.before, shown, "整改前"),
        after=_pictures(base, shown.after, shown, "整改后"),
        corrections=_corrections(entry),
        demonstration=shown.demonstration,
        published_at=published_at,
        updated_at=updated_at,
    )


def _corrections(entry: Entry) -> tuple[CorrectionOut, ...]:
    """Each earlier form with the reason for the one that followed."""
    assert entry.shown is not None
    followed_by = [*(earlier.shown for earlier in entry.earlier), entry.shown][1:]
    return tuple(
        CorrectionOut(until=earlier.until, caption=earlier.shown.caption, why=after.why)
        for earlier, after in zip(entry.earlier, followed_by, strict=True)
    )


def public_month(
    parts: Parts, month: Month, street: str | None = None, indicator: str | None = None
) -> TypicalMonthOut:
    """A month that was published: all of it, or of a 街镇 or an indicator."""
    published_at, updated_at = month.issue.published_at, month.changed_at
    assert published_at is not None and updated_at is not None, "it was published"
    return TypicalMonthOut(
        month=month.month,
        title=month_title(month.month),
        publications=month.issue.publications,
        published_at=published_at,
        updated_at=updated_at,
        entries=tuple(
            public_entry(parts, month.month, each)
            for each in month.public
            if each.is_of(street, indicator)
        ),
    )


def month_line(month: Month) -> TypicalMonthLine:
    """A month in the list of months."""
    published_at, updated_at = month.issue.published_at, month.changed_at
    assert published_at is not None and updated_at is not None, "it was published"
    return TypicalMonthLine(
        month=month.month,
        title=month_title(month.month),
        shown=sum(each.shown is not None for each in month.public),
        published_at=published_at,
        updated_at=updated_at,
    )
