"""经办人页: what to photograph, where, until when, for the holder of a one-time link of 指派.

No account and no session: the link in the address is the credential, void once the 街镇 hands
over. Shown are place, indicator, standard and due time; no person and no words of the report.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.access import POLICY, Visitor, permit
from api.accounts.principal import NOBODY
from api.handler_uploads import case_of_link
from api.pages.acting import taken_in
from api.pages.frame import Frame, framed
from api.pages.refusing import Refused, refused
from api.pages.submitting import submitted
from api.pages.uploading import UPLOADS_LIMIT
from api.problems import Problem
from api.routes.requests import task_of
from casework.errors import UnknownCase

router = APIRouter(include_in_schema=False)

Link = Annotated[str, Path(max_length=200)]

_GONE = (
    "链接已失效：案件已反馈整改，或已另行指派。如还需要上传照片，请联系街镇经办重新发给您一个链接。"
)


@router.get("/handler/{link}", name="pages.handler")
async def handler(
    link: Link, frame: Annotated[Frame, Depends(framed("pages.handler"))]
) -> Response:
    """The task."""
    return await _answer(frame, link)


@router.post("/handler/{link}", name="pages.handler", max_body_size=UPLOADS_LIMIT)
async def send(link: Link, frame: Annotated[Frame, Depends(framed("pages.handler"))]) -> Response:
    """Photos that came with the form itself; those that a script has sent are there already."""
    form = await frame.posted()
    holder = holder_of(frame, link)
    permit(POLICY["photos.upload"], holder)
    try:
        await case_of_link(frame.parts, link)
    except UnknownCase:
        return _gone(frame)
    files = form.files.get("photo_files", ())
    sent = len(form.every("photos"))
    if not files and not sent:
        problem = Problem("/problems/missing", "还没有照片", 422, "请先拍照或从相册选照片。")
        return await _answer(frame, link, refused("handler", problem))
    done = await submitted("handler", form, lambda: taken_in(frame.parts, holder, files))
    if isinstance(done, Refused):
        return await _answer(frame, link, done)
    return frame.go(frame.path, f"已收到{sent + len(done)}张照片，街镇经办可以看到了。")


def holder_of(frame: Frame, link: str) -> Visitor:
    """The visitor as nobody but the holder of this link, whoever is signed in."""
    return Visitor(NOBODY, frame.visitor.source, link=link)


async def _answer(frame: Frame, link: str, wrong: Refused | None = None) -> Response:
    try:
        loaded = await case_of_link(frame.parts, link)
    except UnknownCase:
        return _gone(frame)
    task = await task_of(frame.parts, loaded)
    return frame.form_page("handler.html", wrong, task=task, link=link, now=frame.parts.now())


def _gone(frame: Frame) -> Response:
    return frame.message(404, "链接已失效", _GONE)
