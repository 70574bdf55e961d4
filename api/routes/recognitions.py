"""类别推荐: proposals for what was written, photographed or said; and how often they were right."""

from datetime import datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.door import Door, upload_owner
from api.hygiene import Day
from api.parts import Parts
from api.problems import problem_error
from api.recognising import Recording
from api.recognition_schemas import (
    AlikeOut,
    HitRateOut,
    IntervalOut,
    ModelOut,
    OutOfScopeOut,
    ProposalOut,
    RecognisedOut,
    RecogniseIn,
    RecognitionMeasureOut,
    SpotIn,
    TrainedOut,
    WarningsOut,
)
from api.routes.cases import After, look, seen_up_to
from api.schemas import Door as DoorOut
from api.shown import indicator_name
from api.stored_files import content_of
from api.visitors import With, guard, keep_rate
from casework.clocks import SHANGHAI
from casework.errors import Erased, Missing
from evidence.blobs import Blob
from evidence.errors import BlobDamaged, BlobMissing
from geo.coordinates import to_wgs84
from projections.alike import Alike, open_alike
from projections.statistics import share_interval
from projections.training import HitRate, hit_rates, warnings
from recognition.model import Asked, Recognised

router = APIRouter()

NONE_OF_THESE = "以上都不是"

NOT_OURS = ("N02", "N03")
"""Refusals that say out of scope."""

MOST_DAYS = 366

FORMULA = (
    "上报时看过推荐、在此期间首次立案的案件计 1 件（n）；立案的指标是推荐的第一项计入 top1，"
    "在前三项之中计入 top3。区间为 95% Wilson 区间。以首次立案的指标为准，之后改类不改变。"
    "演示案件不计。warnings: 以 N02、N03 不予受理的和立案的，各有多少当时提示过可能不在范围内。"
)


@router.post("/recognitions", name="recognitions.ask", tags=["上报"], summary="问题类别智能推荐")
async def recognise(
    form: RecogniseIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("recognitions.ask"))],
) -> RecognisedOut:
    """Propose indicators for words, photos or a recording. Changes nothing."""
    keep_rate(parts, visitor, "recognitions", parts.limits.recognitions)
    if not (form.text or form.photos or form.recording):
        raise Missing("text", "请写几句话，或添加照片、录音。")
    photos, recording = await _files(parts, visitor, form)
    catalogue = parts.catalogue
    answer = await parts.recognising.answer(
        Asked(text=form.text, photos=photos, place_kind=form.place_kind),
        recording,
        lambda said: [w.name for w in catalogue.out_of_scope_in(said)],
    )
    return RecognisedOut(
        recognition=parts.tickets.of(answer, parts.now()),
        proposals=tuple(ProposalOut.model_validate(each) for each in answer.proposals),
        none_of_these=NONE_OF_THESE,
        preselected=answer.preselected,
        out_of_scope=_scope(answer),
        dangers=tuple(
            DoorOut(name=w.name, door=w.door, number=w.number)
            for w in catalogue.dangers_in(f"{form.text or ''}。{answer.transcript or ''}")
        ),
        alike=await _alike(parts, form.place, answer),
        transcript=answer.transcript,
        notes=answer.notes,
        models=tuple(ModelOut.model_validate(model) for model in answer.models),
    )


def _scope(answer: Recognised) -> OutOfScopeOut:
    scope = answer.out_of_scope
    door = scope.door if scope.flagged else None
    return OutOfScopeOut(
        flagged=scope.flagged,
        confidence=scope.confidence,
        door=None if door is None else DoorOut(name=door.name, door=door.door, number=door.number),
        because=scope.because if scope.flagged else (),
    )


async def _files(
    parts: Parts, visitor: Visitor, form: RecogniseIn
) -> tuple[tuple[bytes, ...], Recording | None]:
    """The cited files in the clear, as far as they are this visitor's own.

    Raises Missing for one that is unknown, another's or too old; ProblemError without a draft.
    """
    wanted = [*form.photos, *([form.recording] if form.recording else [])]
    if not wanted:
        return (), None
    if visitor.is_anonymous and visitor.draft is None:
        raise problem_error(
            422,
            "draft-missing",
            "缺少草稿编号",
            "未登录时请在 Draft 头中给出上传时用的草稿编号。",
        )
    owners = (upload_owner(visitor, visitor.draft),)

    def read() -> dict[UUID, tuple[str, bytes]]:
        cited = parts.uploads.cited(wanted, owners, parts.now())
        return {upload: (blob.media_type, _content(parts, blob)) for upload, blob in cited.items()}

    found = await Door(parts).in_thread(read)
    _require(found, form)
    recording = None if form.recording is None else found[form.recording]
    return (
        tuple(found[upload][1] for upload in form.photos),
        None if recording is None else Recording(recording[1], recording[0]),
    )


def _require(found: dict[UUID, tuple[str, bytes]], form: RecogniseIn) -> None:
    """Refuse a recording cited as a photo, and the other way round."""
    if any(not found[upload][0].startswith("image/") for upload in form.photos):
        raise Missing("photos", "photos 中有的不是照片。")
    if form.recording is not None and found[form.recording][0].startswith("image/"):
        raise Missing("recording", "recording 不是录音。")


def _content(parts: Parts, blob: Blob) -> bytes:
    """The whole file, at most 20 MB. Raises Missing where it is damaged, gone, or its key is."""
    try:
        return content_of(parts.blobs, parts.sealer, blob)
    except (Erased, BlobMissing, BlobDamaged):
        says = "有照片或录音已过期或不存在，请重新上传后再提交。"
        raise Missing("photos", says) from None


async def _alike(parts: Parts, spot: SpotIn | None, answer: Recognised) -> tuple[AlikeOut, ...]:
    """Open cases nearby of the proposed kinds, where a place was given."""
    codes = [each.indicator for each in answer.proposals]
    if spot is None or not codes:
        return ()
    lon, lat = to_wgs84(spot.lon, spot.lat, spot.crs.value)
    found: list[Alike] = []
    if parts.dispatcher.assign(lon, lat).street is not None:  # nothing of ours lies elsewhere
        found = await look(parts, lambda c: open_alike(c, lon, lat, codes, parts.now()))
    return tuple(
        AlikeOut(
            number=each.number,
            indicator=each.indicator,
            indicator_name=indicator_name(parts, each.indicator) or each.indicator,
            status_name=each.status_name,
            since=each.since,
        )
        for each in found
    )


@router.get(
    "/measures/recognition",
    name="measures.recognition",
    tags=["统计"],
    summary="类别推荐的准确率",
)
async def how_good(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.recognition"))],
    first: Annotated[Day | None, Query(description="首日（北京时间）；默认最近 30 天。")] = None,
    last: Annotated[Day | None, Query(description="末日，含；默认今天。")] = None,
    after: After = None,
) -> RecognitionMeasureOut:
    """How often what was shown was what was registered, by model version and indicator."""
    as_of = await seen_up_to(parts, after)
    today = parts.now().astimezone(SHANGHAI).date()
    last = last or today
    first = first or last - timedelta(days=29)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        raise Missing("first", "起止日期颠倒，或超过一年。")
    begin = datetime.combine(first, time(0), SHANGHAI)
    end = datetime.combine(last, time(0), SHANGHAI) + timedelta(days=1)
    rates = await look(parts, lambda c: hit_rates(c, begin, end))
    told = await look(parts, lambda c: warnings(c, begin, end, NOT_OURS))
    return RecognitionMeasureOut(
        first=first,
        last=last,
        rows=tuple(_rate(parts, rate) for rate in rates),
        total=_totals(parts, rates),
        warnings=tuple(WarningsOut.model_validate(row) for row in told),
        trainings=await Door(parts).in_thread(lambda: _trainings(parts)),
        formula=FORMULA,
        as_of=as_of,
    )


def _totals(parts: Parts, rates: list[HitRate]) -> tuple[HitRateOut, ...]:
    found = []
    for model, version in dict.fromkeys((rate.model, rate.version) for rate in rates):
        own = [rate for rate in rates if (rate.model, rate.version) == (model, version)]
        n, one, three = (sum(getattr(r, field) for r in own) for field in ("n", "top1", "top3"))
        whole = HitRate(
            model, version, "", n, one, three, share_interval(one, n), share_interval(three, n)
        )
        found.append(_rate(parts, whole))
    return tuple(found)


def _rate(parts: Parts, rate: HitRate) -> HitRateOut:
    return HitRateOut(
        model=rate.model,
        version=rate.version,
        indicator=rate.indicator,
        indicator_name=indicator_name(parts, rate.indicator or None) or "合计",
        n=rate.n,
        top1=_interval(rate.top1, rate.n, rate.top1_interval),
        top3=_interval(rate.top3, rate.n, rate.top3_interval),
    )


def _interval(hits: int, n: int, bounds: tuple[float, float]) -> IntervalOut:
    low, high = (round(bound, 4) for bound in bounds)
    return IntervalOut(share=round(hits / n, 4) if n else None, low=low, high=high)


def _trainings(parts: Parts) -> tuple[TrainedOut, ...]:
    learner = parts.recognising.learner
    serving = learner.trained
    return tuple(
        TrainedOut(
            version=each.version,
            at=each.at,
            learnt=each.learnt,
            texts=sum(each.texts.values()),
            preselect=each.thresholds.preselect,
            flag=each.thresholds.flag,
            serving=serving is not None and serving.version == each.version,
        )
        for each in learner.history()
    )
