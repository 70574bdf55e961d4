"""Files that a page's script sends one by one, as they are picked. Answers in JSON: a script asks.

The session is in the cookie; without one the form's key is the draft under which files stand.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, UploadFile

from api.access import POLICY, Visitor, permit
from api.accounts.principal import NOBODY
from api.pages.acting import drafted
from api.pages.frame import Frame, framed
from api.pages.visitors import own_form, own_session
from api.routes.reports import RECORDING_LIMIT, UPLOAD_LIMIT, take_in
from api.schemas import UploadOut
from evidence.signatures import Kind

router = APIRouter(include_in_schema=False)

UPLOADS_LIMIT = 64 * 1024 * 1024
"""Bytes of a form that carries its photos itself, as without a script: three of the largest."""

Short = Annotated[str, Form(max_length=100)]
Number = Annotated[str, Form(max_length=40)]


@router.post("/uploads/photo", name="pages.upload", max_body_size=UPLOAD_LIMIT)
async def photo(
    frame: Annotated[Frame, Depends(framed("pages.upload"))],
    file: Annotated[UploadFile, File()],
    key: Short = "",
    token: Short = "",
    case: Number = "",
    link: Annotated[str, Form(max_length=200)] = "",
) -> UploadOut:
    """Take in a photo; what the form then cites. `link` is a handler's, who has no account."""
    if link:
        own_form(frame.request)
        holder = Visitor(NOBODY, frame.visitor.source, link=link)
        permit(POLICY["photos.upload"], holder)
        return await take_in(frame.parts, holder, file, Kind.PICTURE, None)
    return await _taken(frame, file, Kind.PICTURE, key, token, case)


@router.post("/uploads/recording", name="pages.upload", max_body_size=RECORDING_LIMIT)
async def recording(
    frame: Annotated[Frame, Depends(framed("pages.upload"))],
    file: Annotated[UploadFile, File()],
    key: Short = "",
    token: Short = "",
    case: Number = "",
) -> UploadOut:
    """Take in a recording; what the form then cites."""
    return await _taken(frame, file, Kind.RECORDING, key, token, case)


async def _taken(
    frame: Frame, file: UploadFile, kind: Kind, key: str, token: str, case: str
) -> UploadOut:
    own_form(frame.request)
    if frame.signed_in:
        own_session(frame.parts, frame.visitor, token)
    visitor = frame.with_receipt_of(case) if case else frame.visitor
    operation = "photos.upload" if kind is Kind.PICTURE else "recordings.upload"
    permit(POLICY[operation], visitor)
    return await take_in(frame.parts, drafted(visitor, key), file, kind, case or None)
