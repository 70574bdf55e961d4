"""数据分析: the numbers with their fractions, a measure at length, and the cases behind each.

Every page is a GET and stands in its address. The figures are those of the API, read by the same
functions; what may not be asked is told beside its field.
"""

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import dropwhile
from typing import Annotated, TypeVar
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from api.export_files import MEDIA_TYPES
from api.measure_schemas import BesideOut, CountedOut, FigureOut
from api.measuring import answering, areas, counted, key_name, named
from api.pages import analyst_words as words
from api.pages.analyst_asked import (
    HOME,
    MAPPED,
    Behind,
    Chosen,
    behind_of,
    chosen_of,
    period_chosen,
)
from api.pages.analyst_overview import STRIP, overview, run_up_to, stamp_of
from api.pages.analyst_words import Stamp, title_of
from api.pages.frame import Frame, framed
from api.parts import Parts
from api.problems import problem_error
from api.routes.indicators import PLACE_NAMES
from api.routes.measures import BY_NAMES, EVERY_NAMES, PART_NAMES
from api.routes.measures import Name as MeasureName
from casework.clocks import SHANGHAI
from projections.measure_catalogue import CATALOGUE, Kind, Measure
from projections.measures import By, Only, Part, Wanted
from projections.reports.document import CHANNELS
from projections.reports.sheets import safe

router = APIRouter(include_in_schema=False)
T = TypeVar("T")

PAGE = 50
MOST_IN_FILE = 50_000
"""Rows of cases in one CSV; more is what the export of cases is for."""


class Tab(msgspec.Struct, frozen=True):
    """A part of the desk."""

    operation: str
    path: str
    name: str


TABS = (
    Tab("measures.figures", HOME, "总览"),
    Tab("measures.list", f"{HOME}/measures", "全部指标"),
    Tab("exports.cases", f"{HOME}/export", "导出案件"),
    Tab("documents.list", f"{HOME}/documents", "报告与封存"),
    Tab("indicators.dry_run", f"{HOME}/dry-run", "试算"),
)


def desk(frame: Frame, template: str, values: Mapping[str, object], status: int = 200) -> Response:
    """A page of this desk: with its parts, and the words for figures."""
    tabs = [tab for tab in TABS if frame.may(tab.operation)]
    shown = {"tabs": tabs, "words": words, "wrongs": (), **values}
    return frame.page(template, status, **shown)


def _wrongly(frame: Frame, template: str, chosen: Chosen, values: Mapping[str, object]) -> Response:
    """The page with what is wrong with the question, and no answer."""
    return desk(frame, template, {**values, "told": None, "wrongs": chosen.wrong}, 422)


async def asked_of(parts: Parts, work: Callable[[], T]) -> T:
    """Ask in a thread, and not behind what computes for seconds."""
    return await asyncio.get_running_loop().run_in_executor(parts.work, work)


def choices(frame: Frame) -> Mapping[str, object]:
    """What the form of a question offers."""
    boundaries = frame.parts.dispatcher.boundaries
    rules = frame.parts.casework.references.rules_at(frame.parts.now())
    return {
        "every": [(str(every), name) for every, name in EVERY_NAMES.items()],
        "streets": [(code, boundaries.name(code)) for code in boundaries.units],
        "indicators": [(i.code, i.name) for _, i in sorted(rules.catalogue.indicators.items())],
    }


def _shown(frame: Frame) -> Wanted:
    name, _, variant = frame.request.query_params.get("show", "").partition(".")
    return (name, variant) if (name, variant) in MAPPED else ("handled_in_time", "")


def _show_choices() -> list[tuple[str, str]]:
    return [(f"{name}.{variant}" if variant else name, title_of(name, variant))
            for name, variant in MAPPED]  # fmt: skip


@router.get("/desk/analyst", name="pages.analyst")
async def first_page(frame: Annotated[Frame, Depends(framed("pages.analyst"))]) -> Response:
    """总览; who may not see measures is led to what they may do."""
    if not frame.may("measures.figures"):
        return RedirectResponse(f"{HOME}/export", 303)
    chosen, shown = chosen_of(frame), _shown(frame)
    values: dict[str, object] = {
        "chosen": chosen, "choices": choices(frame), "show": ".".join(filter(None, shown)),
        "shows": _show_choices(),
        "strip": [CATALOGUE[name] for name in dict.fromkeys(name for name, _ in STRIP)],
    }  # fmt: skip
    if chosen.wrong:
        return _wrongly(frame, "analyst.html", chosen, values)
    told = await asked_of(frame.parts, lambda: overview(frame.parts, chosen, shown))
    return desk(frame, "analyst.html", {**values, "told": told})


# 一个指标 ----------------------------------------------------------------------------------


class VariantRow(msgspec.Struct, frozen=True):
    """A way of counting with its figure."""

    variant: str
    title: str
    figure: FigureOut | None


class KeyRow(msgspec.Struct, frozen=True):
    figure: FigureOut
    name: str
    density: float | None = None
    """Per km², of counts by 街镇."""


class MeasureTold(msgspec.Struct, frozen=True, kw_only=True):
    """A measure at length."""

    of: Measure
    variant: str
    stamp: Stamp
    figure: FigureOut
    variants: tuple[VariantRow, ...]
    beside: tuple[BesideOut, ...]
    trend: tuple[FigureOut, ...]
    by: By
    keys: tuple[KeyRow, ...]
    exempted: int


def _told(parts: Parts, chosen: Chosen, of: Measure, variant: str, by: By) -> MeasureTold:
    period = period_chosen(parts, chosen)
    wanted = (of.name, variant)
    with answering(parts, chosen.question(variant)) as answers:
        every = [(of.name, each) for each in ("", *of.variants)]
        told = answers.many(every, [period])
        figures = answers.figures(of, [period], by, variant)
        density = areas(parts) if by is By.STREET and of.kind in {Kind.COUNT, Kind.STOCK} else {}
        return MeasureTold(
            of=of,
            variant=variant,
            stamp=stamp_of(answers, period, sealed=told[wanted][0].sealed),
            figure=told[wanted][0],
            variants=tuple(
                VariantRow(name, of.variants[name].title if name else "默认口径", some[0])
                for (_, name), some in told.items()
            ),
            beside=tuple(answers.beside(of, [period])),
            trend=_since_there_is_any(answers.figures(of, run_up_to(period), None, variant)),
            by=by,
            keys=tuple(
                KeyRow(
                    figure,
                    _key_name(by, figure),
                    figure.numerator / area if (area := density.get(figure.key)) else None,
                )
                for figure in sorted(figures, key=_in_order)
            ),
            exempted=answers.exempted(of, [period]),
        )


def _since_there_is_any(figures: Sequence[FigureOut]) -> tuple[FigureOut, ...]:
    """Without the periods at the head that count nothing; the last is there in any case."""
    return tuple(dropwhile(lambda each: not each.n and each is not figures[-1], figures))


def _key_name(by: By, figure: FigureOut) -> str:
    return CHANNELS.get(figure.key, figure.key_name) if by is By.CHANNEL else figure.key_name


def _in_order(figure: FigureOut) -> tuple[int, float, str]:
    """Ranked ones first, then by how many."""
    if figure.rank is not None:
        return 0, float(figure.rank), figure.key
    return 1 if figure.key else 2, -float(figure.n), figure.key


def _by(frame: Frame) -> By:
    asked = frame.request.query_params.get("by", "")
    return By(asked) if asked in set(By) else By.STREET


@router.get("/desk/analyst/measures", name="pages.analyst_measures")
async def every_measure(
    frame: Annotated[Frame, Depends(framed("pages.analyst_measures"))],
) -> Response:
    """Every measure with its figure and its formula in words."""
    chosen = chosen_of(frame)
    values = {"chosen": chosen, "choices": choices(frame)}
    if chosen.wrong:
        return _wrongly(frame, "analyst_measures.html", chosen, values)
    parts = frame.parts

    def work() -> tuple[Stamp, dict[Wanted, tuple[FigureOut, ...]]]:
        period = period_chosen(parts, chosen)
        with answering(parts, chosen.question()) as answers:
            found = answers.many([(name, "") for name in CATALOGUE], [period])
            return stamp_of(answers, period, sealed=found["reports", ""][0].sealed), found

    stamp, found = await asked_of(parts, work)
    told = [(CATALOGUE[name], figures[0]) for (name, _), figures in found.items()]
    return desk(frame, "analyst_measures.html", {**values, "told": told, "stamp": stamp})


@router.get("/desk/analyst/measures/{name}", name="pages.analyst_measures")
async def one_measure(
    name: MeasureName,
    frame: Annotated[Frame, Depends(framed("pages.analyst_measures"))],
) -> Response:
    """A measure at length; with `form=csv` its table as a file."""
    variant = frame.request.query_params.get("variant", "")[:40]
    of, chosen, by = named(name, variant), chosen_of(frame), _by(frame)
    values: dict[str, object] = {
        "chosen": chosen, "choices": choices(frame), "of": of, "variant": variant, "by": str(by),
        "bys": [(str(each), title) for each, title in BY_NAMES.items()],
        "by_name": BY_NAMES[by],
    }  # fmt: skip
    if chosen.wrong:
        return _wrongly(frame, "analyst_measure.html", chosen, values)
    parts = frame.parts
    told = await asked_of(parts, lambda: _told(parts, chosen, of, variant, by))
    if frame.request.query_params.get("form") == "csv":
        return _csv(f"{of.title}-{told.stamp.period.name}", _HEAD, _lines(told))
    return desk(frame, "analyst_measure.html", {**values, "told": told})


_HEAD = ("period", "by", "key", "key_name", "numerator", "denominator", "value", "unit",
         "interval_low", "interval_high", "rank", "change", "change_on_year", "as_of",
         "position")  # fmt: skip


def _lines(told: MeasureTold) -> Iterable[Sequence[object]]:
    """The whole, each key, and the run of periods up to it."""
    rows = [("", "合计", told.figure), *((str(told.by), k.name, k.figure) for k in told.keys)]
    rows += [("", "合计", figure) for figure in told.trend[:-1]]
    at = f"{told.stamp.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    for by, name, each in rows:
        low, high = each.interval or ("", "")
        yield (each.period, by, each.key, name, each.numerator, each.denominator,
               each.value, told.of.unit, low, high, each.rank, each.change,
               each.change_on_year, at, told.stamp.position)  # fmt: skip


def _csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table as a file that spreadsheets read and run nothing of."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow(["" if cell is None else safe(cell) if isinstance(cell, str) else cell
                         for cell in row])  # fmt: skip
    disposition = f"attachment; filename*=UTF-8''{quote(name)}.csv"
    return Response(
        b"\xef\xbb\xbf" + out.getvalue().encode(),
        media_type=MEDIA_TYPES["csv"],
        headers={"Content-Disposition": disposition, "Cache-Control": "private, no-store"},
    )


# 案件 --------------------------------------------------------------------------------------


class CasesTold(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the cases behind a number."""

    stamp: Stamp
    total: int
    rows: tuple[CountedOut, ...]


@router.get("/desk/analyst/cases", name="pages.analyst_cases")
async def cases_behind_a_number(
    frame: Annotated[Frame, Depends(framed("pages.analyst_cases"))],
) -> Response:
    """The very cases that a number counts, a page at a time; with `form=csv` all as a file."""
    chosen = chosen_of(frame)
    try:
        behind = behind_of(frame, chosen)
        only = behind.only
    except ValueError:
        raise problem_error(
            404, "not-found", "没有找到", "没有这个网格，请从列表中打开。"
        ) from None
    of, parts = CATALOGUE[behind.name], frame.parts
    part = Part(behind.part) if behind.part in set(Part) else Part.DENOMINATOR
    page = _whole(frame.request.query_params.get("page", ""))
    values: dict[str, object] = {
        "chosen": chosen, "behind": behind, "of": of, "part": str(part), "page": page,
        "part_names": PART_NAMES, "title": title_of(of.name, behind.variant),
        "choices": choices(frame), "places": {str(k): v for k, v in PLACE_NAMES.items()},
        "channels": CHANNELS,
    }  # fmt: skip
    if chosen.wrong:
        return _wrongly(frame, "analyst_cases.html", chosen, values)
    as_file = frame.request.query_params.get("form") == "csv"
    limit, offset = (MOST_IN_FILE, 0) if as_file else (PAGE, PAGE * (page - 1))

    told = await asked_of(parts, lambda: _cases(parts, behind, only, part, limit, offset))
    if as_file:
        return _cases_file(f"{values['title']}-{told.stamp.period.name}-案件", told)
    more = {
        "told": told,
        "pages": max(1, -(-told.total // PAGE)),
        "narrowed": _narrowed(behind.by, behind.key, frame),
        "here": _here(frame),
    }
    return desk(frame, "analyst_cases.html", {**values, **more})


def _cases(
    parts: Parts, behind: Behind, only: Only, part: Part, limit: int, offset: int
) -> CasesTold:
    period = period_chosen(parts, behind.chosen)
    with answering(parts, behind.chosen.question(behind.variant, only)) as answers:
        found = answers.cases(behind.name, period, behind.variant, part, limit=limit, offset=offset)
        return CasesTold(
            stamp=stamp_of(answers, period),
            total=found.total,
            rows=tuple(counted(parts, row) for row in found.rows),
        )


def _cases_file(name: str, told: CasesTold) -> Response:
    """All of them. Raises ProblemError where they are more than a file holds."""
    if told.total > MOST_IN_FILE:
        says = f"超过{MOST_IN_FILE:,}行，请缩短时段或限定街镇，或改用“导出案件”。"
        raise problem_error(422, "too-many", "行数过多", says)
    return _csv(name, _CASE_HEAD, map(_case_line, told.rows))


_CASE_HEAD = ("number", "round", "street", "street_name", "indicator", "indicator_name",
              "place_kind", "channel", "at", "counted", "dispatched_at", "due_at",
              "handed_over_at", "closed_at")  # fmt: skip


def _case_line(row: CountedOut) -> Sequence[object]:
    times = (row.at, row.dispatched_at, row.due_at, row.handed_over_at, row.closed_at)
    at, *rest = (
        None if t is None else f"{t.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" for t in times
    )
    return (row.number, row.round, row.street, row.street_name, row.indicator,
            row.indicator_name, row.place_kind, row.channel, at,
            "是" if row.counted else "否", *rest)  # fmt: skip


def _narrowed(by: By | None, key: str, frame: Frame) -> str:
    """To what the number was narrowed, in words."""
    if by is None:
        return ""
    name = CHANNELS.get(key) if by is By.CHANNEL else None
    return f"{BY_NAMES[by]}：{name or (key_name(frame.parts, by, key) if key else '未定')}"


def _here(frame: Frame) -> str:
    """Where the page of a case leads back to."""
    here = f"{frame.path}?{frame.request.url.query}"
    return here if len(here) <= 200 else HOME


def _whole(text: str) -> int:
    """A page's number."""
    return min(int(text), 100_000) if text.isascii() and text.isdigit() and int(text) else 1
