"""审计: the trail for the auditor, and whether its chain holds. Nothing here changes a row."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.accounts import audit
from api.accounts.audit import AuditFilter, AuditRow, Head
from api.door import Door
from api.hygiene import AwareMoment, Line
from api.office_schemas import VerificationOut
from api.parts import Parts
from api.schemas import AuditPage, AuditRowOut
from api.visitors import With, guard

router = APIRouter(tags=["审计"])

Exactly = Annotated[Line | None, Query(min_length=1, max_length=200)]


@router.get("/audit", name="audit.list", summary="审计记录，新的在前")
async def list_audit(  # noqa: PLR0913  a query parameter each
    *,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("audit.list"))],
    principal: Exactly = None,
    action: Exactly = None,
    target: Exactly = None,
    outcome: Exactly = None,
    since: Annotated[AwareMoment | None, Query()] = None,
    until: Annotated[AwareMoment | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="上一页的 before。")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Who did or was refused what; times half-open, all filters must hold."""
    wanted = AuditFilter(
        principal_id=principal,
        action=action,
        target=target,
        outcome=outcome,
        since=since,
        until=until,
        before=before,
    )
    rows = await Door(parts).in_thread(lambda: audit.page(parts.desk, wanted, limit))
    return AuditPage(
        rows=tuple(_row(row) for row in rows), before=rows[-1].seq if len(rows) == limit else None
    )


def _row(row: AuditRow) -> AuditRowOut:
    entry = row.entry
    return AuditRowOut(
        seq=row.seq,
        at=entry.at,
        principal_kind=entry.principal_kind,
        principal_id=entry.principal_id,
        action=entry.action,
        target=entry.target,
        outcome=entry.outcome,
        facts=entry.facts,
        hash=row.hash.hex(),
    )


@router.get("/audit/verification", name="audit.verify", summary="核验审计链")
async def verify_audit(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("audit.verify"))]
) -> VerificationOut:
    """Compute the whole chain again. A tail cut off shows only against a head kept elsewhere."""
    broken, head, rows = await Door(parts).in_thread(lambda: _verified(parts))
    return VerificationOut(
        holds=broken is None,
        first_broken=broken,
        rows=rows,
        head_seq=head.seq,
        head_hash=head.hash.hex(),
    )


def _verified(parts: Parts) -> tuple[int | None, Head, int]:
    with parts.desk.read() as connection:
        head = audit.head(connection)
    return audit.verify(parts.desk, head if head.seq else None), head, audit.count(parts.desk)
