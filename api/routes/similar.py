"""相似案件: what may be the same problem, for the citizen before sending and for the reviewer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from msgspec.structs import replace

from api import similar
from api.access import Visitor
from api.checking import appearance
from api.door import CHANNEL_CRS, Door, upload_owner
from api.evidence_schemas import SimilarIn, SimilarOut
from api.examining import unpacked
from api.parts import Parts
from api.routes.cases import After, CaseRef, look, seen_up_to, sight
from api.shown import indicator_name, name_of_street, street_name
from api.similar import Asked, Similar
from api.visitors import With, guard, keep_rate
from casework.errors import Missing
from casework.evidence import EvidenceExamined
from casework.lifecycle import LABELS
from evidence.likeness import Likeness
from geo.coordinates import to_wgs84
from projections import evidence_seen

router = APIRouter(tags=["上报"])


@router.post("/reports/similar", name="reports.similar", summary="附近的相似案件（我也遇到）")
async def similar_to_report(
    form: SimilarIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("reports.similar"))],
    channel: Annotated[str, Header(alias="Source-Channel", max_length=32)] = "app",
) -> tuple[SimilarOut, ...]:
    """Open cases that may be this problem: join one instead of reporting it again.

    Changes nothing. Tells what everybody may know of a case, and about how far it is.
    """
    keep_rate(parts, visitor, "places", parts.limits.maps)
    crs = form.place.crs or CHANNEL_CRS.get(channel)
    if crs is None:
        raise Missing("place.crs", "请说明坐标系: wgs84、gcj02、bd09 或 cgcs2000。")
    lon, lat = to_wgs84(form.place.lon, form.place.lat, crs.value)
    asking = Asked(
        lon=lon,
        lat=lat,
        at=parts.now(),
        accuracy_m=form.place.accuracy_m or 0.0,
        indicator=form.indicator,
        indicator_name=indicator_name(parts, form.indicator) or "",
    )
    wanted = [photo.upload for photo in form.photos]
    if wanted:
        pictures = await Door(parts).in_thread(lambda: _own_pictures(parts, visitor, wanted))
        asking = replace(asking, pictures=pictures)
    found = await look(parts, lambda c: similar.for_citizen(c, asking))
    return tuple(_told(parts, one, staff=False) for one in found)


def _own_pictures(parts: Parts, visitor: Visitor, wanted: list[UUID]) -> tuple[Likeness, ...]:
    """What their own uploads look like, as far as they are examined yet."""
    if visitor.is_anonymous and visitor.draft is None:
        return ()
    owner = upload_owner(visitor, visitor.draft if visitor.is_anonymous else None)
    outcomes = [unpacked(stored) for stored in parts.uploads.of(wanted, [owner]).values() if stored]
    examined = [outcome for outcome in outcomes if isinstance(outcome, EvidenceExamined)]
    found = [appearance(one, parts.sealer) for one in examined]
    return tuple(Likeness(one.phash, one.dhash, one.parts) for one in found if one is not None)


@router.get(
    "/cases/{case}/similar", name="cases.similar", tags=["案件"], summary="可能重复的在办案件"
)
async def similar_to_case(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.similar"))],
    after: After = None,
) -> tuple[SimilarOut, ...]:
    """Open cases that may be the same problem, with reasons; merging keeps every reporter."""
    await seen_up_to(parts, after)
    loaded, _actor = await sight(parts, visitor, case)
    known = loaded.case
    pictures = await look(parts, lambda c: evidence_seen.pictures_reported(c, [loaded.case_id]))
    reported_at = await look(parts, lambda c: evidence_seen.submitted_at(c, loaded.case_id))
    asking = Asked(
        lon=known.place.lon,
        lat=known.place.lat,
        at=reported_at or known.last_at,
        accuracy_m=known.place.accuracy_m or 0.0,
        indicator=known.indicator,
        indicator_name=indicator_name(parts, known.indicator) or "",
        pictures=tuple(
            Likeness(one.phash, one.dhash, one.parts) for one in pictures.get(loaded.case_id, [])
        ),
    )
    found = await look(parts, lambda c: similar.for_reviewer(c, asking, loaded.case_id))
    return tuple(_told(parts, one, staff=True) for one in found)


def _told(parts: Parts, one: Similar, *, staff: bool) -> SimilarOut:
    case = one.case
    return SimilarOut(
        case_id=case.case_id if staff else None,
        number=case.number,
        status=case.status,
        status_name=LABELS[case.status].staff if staff else _public_label(parts, one),
        indicator=case.indicator,
        indicator_name=indicator_name(parts, case.indicator),
        street_name=street_name(parts, case.street),
        submitted_at=case.submitted_at if staff else None,
        distance_m=round(one.distance_m),
        score=one.score.value,
        because=one.score.reasons,
    )


def _public_label(parts: Parts, one: Similar) -> str:
    """What the status is called to a citizen, without a due time that is not theirs."""
    label = LABELS[one.case.status].citizen
    if "{street}" in label and one.case.street:
        return label.format(street=name_of_street(parts, one.case.street))
    return label.partition("(")[0]
