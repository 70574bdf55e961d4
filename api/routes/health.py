"""Whether the process lives, whether it may be sent requests, and its measures."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from api.access import Visitor
from api.parts import Parts
from api.schemas import Wire
from api.visitors import With, guard

router = APIRouter(tags=["运行"])


class LiveOut(Wire):
    """The process answers."""

    live: bool


class SourceOut(Wire):
    """A source of recognition: `ready`, `idle` (loads on first use), `absent`, `failing`."""

    name: str
    state: str
    note: str


class ReadyOut(Wire):
    """Whether requests may be sent here, what stands in the way, and how recognition is.

    A source of recognition that fails makes nothing unready: a person chooses instead.
    """

    ready: bool
    waiting_for: tuple[str, ...]
    degraded: bool
    clock_held: bool
    """The wall clock jumped: nothing lapses and nobody is warned until a person has looked."""
    position: int
    recognition: tuple[SourceOut, ...] = Field(
        description="类别推荐的各个来源；缺少或出错时由人选择类别，不影响就绪。"
    )
    examining: int
    """Files that wait to be examined; new photos are refused for a while when it is full."""


def waiting_for(parts: Parts) -> tuple[str, ...]:
    """What is not in order yet, in Chinese; nothing where all is well.

    Not ready only when the log, keys or audit cannot be written or the first catch-up is
    unfinished; a held stream is merely degraded.
    """
    reasons = (
        (parts.casework.eventlog.ready, "事件日志不能写入"),
        (parts.keys.alive, "个人密钥不能写入"),
        (parts.audit.is_healthy(), "审计记录不能写入"),
        (parts.limits_store.check(), "限次计数不能写入"),
        (parts.boundaries.usable(parts.now()), "街镇边界不能读取"),
        (parts.feed.caught_up, "视图首次读取尚未完成"),
    )
    return tuple(why for fine, why in reasons if not fine)


@router.get("/health/live", name="health.live", summary="存活检查")
async def live(_visitor: Annotated[Visitor, Depends(guard("health.live"))]) -> LiveOut:
    """Whether the process answers at all."""
    return LiveOut(live=True)


@router.get(
    "/health/ready",
    name="health.ready",
    summary="就绪检查",
    responses={503: {"model": ReadyOut}},
)
async def ready(
    response: Response,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("health.ready"))],
) -> ReadyOut:
    """Whether this process may be sent requests; 503 where not."""
    reasons = waiting_for(parts)
    as_of = parts.feed.as_of()
    if reasons:
        response.status_code = 503
    held = parts.timekeeper.is_held
    return ReadyOut(
        ready=not reasons,
        waiting_for=reasons,
        degraded=as_of.degraded or held,
        clock_held=held,
        position=as_of.position,
        recognition=tuple(
            SourceOut.model_validate(each) for each in parts.recognising.conditions()
        ),
        examining=await asyncio.to_thread(parts.examining.waiting),
    )


@router.get("/metrics", name="health.metrics", summary="运行指标", response_class=Response)
def metrics(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("health.metrics"))]
) -> Response:
    """Measures in Prometheus' text form."""
    lines = [generate_latest(parts.meters.registry).decode()]
    for name, value in sorted(parts.feed.metrics().items()):
        lines.append(f"# TYPE casework_views_{name} gauge\ncasework_views_{name} {value}\n")
    lines.append(
        "# TYPE casework_log_ready gauge\n"
        f"casework_log_ready {int(parts.casework.eventlog.ready)}\n"
    )
    lines.append(
        "# TYPE casework_watch_held gauge\n"
        f"casework_watch_held {int(parts.timekeeper.is_held)}\n"
        "# TYPE casework_watch_done_total counter\n"
        f"casework_watch_done_total {parts.timekeeper.done}\n"
        "# TYPE casework_watch_behind_seconds gauge\n"
        f"casework_watch_behind_seconds {parts.timekeeper.behind(parts.now()):.3f}\n"
    )
    lines.append("# TYPE casework_recognition_failing gauge\n")
    for one in parts.recognising.conditions():
        failing = int(one.state == "failing")
        lines.append(f'casework_recognition_failing{{source="{one.name}"}} {failing}\n')
    lines.append(
        "# TYPE casework_examining_waiting gauge\n"
        f"casework_examining_waiting {parts.examining.waiting()}\n"
        "# TYPE casework_examining_failures_total counter\n"
        f"casework_examining_failures_total {parts.examining.failures}\n"
    )
    return Response("".join(lines), media_type=CONTENT_TYPE_LATEST)
