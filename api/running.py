"""What runs beside the requests for as long as the app serves: readers, writers, timers.

Everything that was started is ended in turn; what was acknowledged is on the disk by then.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from api.accounts.desk import Turn
from api.documents.schedule import due, run_child
from api.hand_back import hand_back_unreadable
from api.logs import log
from api.missing_rows import complete_trail
from api.parts import Parts
from projections.generations import is_current
from projections.reading import Readers
from projections.tables import TRANSIENT
from recognition.model import Unavailable

REFRESH_SECONDS = 5.0
"""Reference streams are read on well within the 30 s after which deciding stops."""
POLL_SECONDS = 1.0
WATCH_SECONDS = 2.0
ERASE_SECONDS = 60.0
CLEAN_SECONDS = 3600.0
LEARN_SECONDS = 60.0
COLLECT_SECONDS = 6 * 3600.0
REPORT_SECONDS = 300.0
"""How often the folder of reports is looked at: a listing of some names."""
SEAL_SECONDS = 600.0


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Start the threads and timers, carry on unfinished erasures; end all in turn."""
    parts.audit.start()
    parts.limits_store.start()
    parts.feed.start()
    parts.examining.start()
    timers = [
        asyncio.create_task(_every(seconds, work))
        for seconds, work in (
            (REFRESH_SECONDS, lambda: _refresh(parts)),
            (POLL_SECONDS, lambda: _poll(parts)),
            (POLL_SECONDS, lambda: _restore_views(parts)),
            (WATCH_SECONDS, lambda: _watch(parts)),
            (ERASE_SECONDS, lambda: _carry_on_erasures(parts)),
            (WATCH_SECONDS, lambda: hand_back_unreadable(parts)),
            (COLLECT_SECONDS, lambda: _collect(parts)),
            (CLEAN_SECONDS, lambda: _clean(parts)),
            (LEARN_SECONDS, lambda: _learn(parts)),
            (REPORT_SECONDS, lambda: _write_reports(parts)),
            (SEAL_SECONDS, lambda: _seal(parts)),
        )
    ]
    begin = asyncio.create_task(_begin(parts))
    try:
        yield
    finally:
        for task in (*timers, begin):
            task.cancel()
        for task in (*timers, begin):
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(_end, parts)


def _end(parts: Parts) -> None:
    parts.recognising.close()
    parts.examiner.close()
    parts.finder.close()
    parts.examining.stop()
    with suppress(*TRANSIENT):  # a database that is gone has nothing to be seen
        parts.feed.wait_for(parts.casework.eventlog.head())
    parts.feed.stop()
    parts.audit.stop()
    parts.limits_store.stop()
    parts.let_go()


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do it again and again; a fault is told and tried again."""
    while True:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001  a timer that ended would leave the clock standing
            log.warning("timer", fault=type(fault).__name__)
        await asyncio.sleep(seconds)


async def _begin(parts: Parts) -> None:
    """What a start owes: unfinished erasures, missing audit rows, views of an older code."""
    try:
        await asyncio.to_thread(parts.erasing.resume)
        await asyncio.to_thread(complete_trail, parts)
        await asyncio.to_thread(_remove_old_views, parts)
        if not is_current(parts.shelf, parts.views):
            await asyncio.to_thread(_renew_views, parts)
    except Exception as fault:
        log.error("start", fault=type(fault).__name__)
        raise


def _renew_views(parts: Parts) -> None:
    """Build the views anew by the code of today while the old ones serve, then switch."""
    # A rebuild is rare, and what only it needs costs ten megabytes.
    from api.rebuilding import rebuild_views  # noqa: PLC0415

    rebuilt = rebuild_views(parts.settings)
    engine = parts.shelf.open(rebuilt.generation)
    parts.feed.switch(Readers(engine, rebuilt.generation, parts.views, parts.opener))
    log.info("views", generation=rebuilt.generation, events=rebuilt.position)
    time.sleep(2 * REFRESH_SECONDS)  # until every process has turned to it
    _remove_old_views(parts)


def _remove_old_views(parts: Parts) -> None:
    """Throw away generations that do not serve: they may hold words of a person erased since."""
    for name in parts.shelf.names():
        if name not in {parts.shelf.serving(), parts.feed.readers.generation}:
            parts.shelf.remove(name)


async def _carry_on_erasures(parts: Parts) -> None:
    await asyncio.to_thread(parts.erasing.resume)


async def _refresh(parts: Parts) -> None:
    await asyncio.to_thread(parts.casework.refresh, parts.now())
    await asyncio.to_thread(parts.boundaries.read_ahead, parts.now())
    await asyncio.to_thread(_follow_views, parts)


def _follow_views(parts: Parts) -> None:
    """Serve the generation that a command line has built and named meanwhile."""
    serving, old = parts.shelf.serving(), parts.feed.readers
    if serving is not None and serving != old.generation:
        parts.feed.switch(Readers(parts.shelf.open(serving), serving, parts.views, parts.opener))
        old.engine.dispose()


async def _restore_views(parts: Parts) -> None:
    """Build the views anew where a crash of the database has emptied them."""
    if parts.feed.lost:
        log.warning("views", lost=True)
        await asyncio.to_thread(_renew_views, parts)


async def _poll(parts: Parts) -> None:
    """Forget keys that another process destroyed; end where nothing can be committed any more."""
    if not parts.casework.eventlog.alive:
        log.error("committer", fault="the committing thread has ended; so does this process")
        signal.raise_signal(signal.SIGTERM)
    if await asyncio.to_thread(parts.keys.poll):
        parts.casework.forget()
        parts.checking.forget()


async def _watch(parts: Parts) -> None:
    """Let the clock act on what has fallen due, and tell whom it concerns."""
    await parts.timekeeper.tick()


async def _seal(parts: Parts) -> None:
    """Seal the month that is over, once the views have read all of it."""
    if not parts.timekeeper.is_held:
        sealed = await asyncio.get_running_loop().run_in_executor(
            parts.trials, parts.sealed_months.tick, parts.now()
        )
        if sealed is not None:
            log.info("sealed", month=sealed.fact.month, position=sealed.position)


async def _clean(parts: Parts) -> None:
    await asyncio.to_thread(parts.sessions.remove_expired, parts.now())
    await asyncio.to_thread(_forget_old_failures, parts)
    await asyncio.to_thread(complete_trail, parts)


async def _learn(parts: Parts) -> None:
    """Train recognition anew where there is reason to, and look at photos, beside the work."""
    try:
        if await asyncio.to_thread(parts.recognising.learner.keep_up):
            log.info("recognition", trained=True)
        await asyncio.to_thread(parts.recognising.look_back)
    except Unavailable as why:
        log.warning("recognition", why=str(why))


async def _collect(parts: Parts) -> None:
    done = await asyncio.to_thread(parts.collecting.collect)
    if done.uploads or done.files:
        log.info("collected", uploads=done.uploads, files=done.files)


async def _write_reports(parts: Parts) -> None:
    """Have a child write the reports whose period is over, where a folder is set."""
    folder = parts.settings.reports_folder
    if folder is None:
        return
    if any(due(folder, parts.now(), parts.settings.reports_at)):
        code = await asyncio.to_thread(run_child, parts.settings)
        if code:
            log.warning("reports", exit=code)


def _forget_old_failures(parts: Parts) -> None:
    with parts.desk.write(Turn.SIGN_IN) as connection:
        parts.lockout.remove_old(connection, parts.now())
