"""A storage for the `limits` library over desk.db. Knows no route and no address.

Counting happens in memory; a thread writes what was counted at most a second later and at stop,
and start reads it back, so that limits survive a restart. A kill loses up to a second of counts.
Processes on one database add their counts up at each writing: for that second each has counts of
its own. Keys hold the keyed names of sources (`sources.Sources`), never addresses.
"""

import struct
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from limits.storage import MovingWindowSupport, Storage
from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from api.accounts.desk import Desk, Turn
from api.accounts.tables import rate_moments, rate_window

_EVERY_S = 1.0
_MOST_KEYS = 200_000
"""Keys in memory, about 60 MB. A flood from more sources pushes out the oldest."""
_GROUP = 500
_SWEEP_EVERY = 60


@dataclass(slots=True)
class _Window:
    """A fixed window: the count, when it ends (epoch seconds), and what is not written yet."""

    hits: int
    expires: float
    unwritten: int = 0


@dataclass(slots=True)
class _Moments:
    """A moving window: moments in order (epoch seconds), and those not written yet."""

    moments: list[float] = field(default_factory=list)
    expires: float = 0.0
    span: float = 0.0
    unwritten: list[float] = field(default_factory=list)


class DeskStorage(Storage, MovingWindowSupport):
    """Fixed and moving windows. `clock` tells epoch seconds. Start before use, stop at the end."""

    STORAGE_SCHEME = None

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        super().__init__()
        self._desk = desk
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._moments: dict[str, _Moments] = {}
        self._dirty: set[str] = set()
        self._cleared: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="limits", daemon=True)

    def start(self) -> None:
        """Read what an earlier process counted, and begin to write."""
        now = self._clock()
        with self._desk.read() as connection:
            windows = connection.execute(
                select(rate_window).where(rate_window.c.expires > now)
            ).all()
            moments = connection.execute(
                select(rate_moments).where(rate_moments.c.expires > now)
            ).all()
        with self._lock:
            self._windows = {row.key: _Window(row.hits, row.expires) for row in windows}
            self._moments = {
                row.key: _Moments(_unpack(row.moments), row.expires) for row in moments
            }
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end the thread."""
        self._stopping.set()
        self._thread.join()
        self.flush()

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def check(self) -> bool:
        """False while counts cannot be written: limits hold, but would not outlive a restart."""
        return not self._failing

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.expires <= now:
                self._make_room(self._windows)
                window = self._windows[key] = _Window(0, now + expiry)
            window.hits += amount
            window.unwritten += amount
            self._dirty.add(key)
            return window.hits

    def get(self, key: str) -> int:
        with self._lock:
            window = self._windows.get(key)
            return 0 if window is None or window.expires <= self._clock() else window.hits

    def get_expiry(self, key: str) -> float:
        with self._lock:
            window = self._windows.get(key)
            now = self._clock()
            return now if window is None or window.expires <= now else window.expires

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = self._clock()
        with self._lock:
            entry = self._moments.get(key)
            if entry is None:
                self._make_room(self._moments)
                entry = self._moments[key] = _Moments()
            moments = entry.moments
            del moments[: bisect_right(moments, now - expiry)]
            if len(moments) + amount > limit:
                return False
            moments.extend([now] * amount)
            entry.unwritten.extend([now] * amount)
            entry.expires, entry.span = now + expiry, expiry
            self._dirty.add(key)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = self._clock()
        with self._lock:
            entry = self._moments.get(key)
            if entry is None:
                return now, 0
            first = bisect_right(entry.moments, now - expiry)
            live = entry.moments[first:]
            return (live[0], min(len(live), limit)) if live else (now, 0)

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)
            self._moments.pop(key, None)
            self._dirty.discard(key)
            self._cleared.add(key)

    def reset(self) -> int:
        """Forget every count, here and in the database. Returns how many keys there were."""
        with self._lock:
            known = self._windows.keys() | self._moments.keys()
            self._windows.clear()
            self._moments.clear()
            self._dirty.clear()
        with self._desk.write(Turn.LIMITS) as connection:
            connection.execute(delete(rate_window))
            connection.execute(delete(rate_moments))
        return len(known)

    def flush(self) -> None:
        """Write what was counted since the last time; take over what other processes counted.

        Where the database fails, nothing is lost: it is written the next time.
        """
        with self._lock:
            dirty, self._dirty = self._dirty, set()
            cleared, self._cleared = self._cleared, set()
            windows = {key: self._windows[key] for key in dirty & self._windows.keys()}
            moments = {key: self._moments[key] for key in dirty & self._moments.keys()}
            counts = {
                key: _Window(window.unwritten, window.expires, window.unwritten)
                for key, window in windows.items()
            }
            news = {
                key: _Moments(entry.unwritten, entry.expires, entry.span, entry.unwritten)
                for key, entry in moments.items()
            }
            for window in windows.values():
                window.unwritten = 0
            for entry in moments.values():
                entry.unwritten = []
        if not dirty and not cleared:
            return
        try:
            with self._desk.write(Turn.LIMITS) as connection:
                for table in (rate_window, rate_moments):
                    _remove(connection, table, sorted(cleared))
                _add_windows(connection, counts, self._clock())
                _add_moments(connection, news)
        except SQLAlchemyError:
            self._failing = True
            self._put_back(windows, counts, moments, news, cleared)
            return
        self._failing = False
        with self._lock:
            for key, window in windows.items():
                window.hits = counts[key].hits + window.unwritten
                window.expires = counts[key].expires
            for key, entry in moments.items():
                entry.moments = news[key].moments + entry.unwritten

    def remove_expired(self) -> None:
        """Drop windows that are over, in memory and in the database. The thread does it too."""
        now = self._clock()
        over = [key for key, window in list(self._windows.items()) if window.expires <= now]
        gone = [key for key, entry in list(self._moments.items()) if entry.expires <= now]
        with self._lock:
            for key in over:
                if key in self._windows and self._windows[key].expires <= now:
                    del self._windows[key]
            for key in gone:
                if key in self._moments and self._moments[key].expires <= now:
                    del self._moments[key]
        with self._desk.write(Turn.LIMITS) as connection:
            for table in (rate_window, rate_moments):
                connection.execute(delete(table).where(table.c.expires <= now))

    def _put_back(
        self,
        windows: dict[str, _Window],
        counts: dict[str, _Window],
        moments: dict[str, _Moments],
        news: dict[str, _Moments],
        cleared: set[str],
    ) -> None:
        with self._lock:
            for key, window in windows.items():
                window.unwritten += counts[key].unwritten
            for key, entry in moments.items():
                entry.unwritten = news[key].unwritten + entry.unwritten
            self._dirty |= windows.keys() | moments.keys()
            self._cleared |= cleared

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.wait(_EVERY_S):
            self.flush()
            rounds += 1
            if rounds % _SWEEP_EVERY == 0 and not self._failing:
                try:
                    self.remove_expired()
                except SQLAlchemyError:
                    self._failing = True

    def _make_room(self, known: dict[str, _Window] | dict[str, _Moments]) -> None:
        if len(known) >= _MOST_KEYS:
            for key in list(islice(known, _MOST_KEYS // 16)):
                del known[key]


def _add_windows(connection: Connection, counts: dict[str, _Window], now: float) -> None:
    """Add to what stands there; afterwards `counts` holds the sums.

    Where two processes began a window, the one that ends first says when it ends.
    """
    for keys in _groups(counts):
        found = connection.execute(select(rate_window).where(rate_window.c.key.in_(keys))).all()
        for row in found:
            if row.expires > now:
                mine = counts[row.key]
                mine.hits += row.hits
                mine.expires = min(mine.expires, row.expires)
        _remove(connection, rate_window, keys)
        connection.execute(
            insert(rate_window),
            [
                {"key": key, "hits": counts[key].hits, "expires": counts[key].expires}
                for key in keys
            ],
        )


def _add_moments(connection: Connection, news: dict[str, _Moments]) -> None:
    """Put the new moments among those that stand there; afterwards `news` holds all of them."""
    for keys in _groups(news):
        found = connection.execute(select(rate_moments).where(rate_moments.c.key.in_(keys))).all()
        for row in found:
            entry = news[row.key]
            live = [at for at in _unpack(row.moments) if at > entry.expires - 2 * entry.span]
            entry.moments = sorted(live + entry.moments)
        _remove(connection, rate_moments, keys)
        connection.execute(
            insert(rate_moments),
            [
                {"key": key, "moments": _pack(news[key].moments), "expires": news[key].expires}
                for key in keys
            ],
        )


def _remove(connection: Connection, table: Table, keys: Sequence[str]) -> None:
    for group in _groups(keys):
        connection.execute(delete(table).where(table.c.key.in_(group)))


def _groups(keys: Iterable[str]) -> Iterator[list[str]]:
    """In order, so that the rows are always taken the same way round."""
    ordered = iter(sorted(keys))
    while group := list(islice(ordered, _GROUP)):
        yield group


def _pack(moments: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(moments)}d", *moments)


def _unpack(packed: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(packed) // 8}d", packed))
