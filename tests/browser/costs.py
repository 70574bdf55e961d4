"""What a page costs on a slow line and a slow phone: bytes, requests, and when one sees something.

The line is that of a weak 4G signal, the phone four times slower than this machine; nothing is
kept from an earlier visit. Asked of Chromium by its own protocol. A busy moment of this machine is
not the page's: of some openings the best counts.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page

from tests.browser.desk import Desk

ROUND_TRIP_MS = 150
DOWN = 1_600_000 / 8
UP = 750_000 / 8
"""Bytes a second."""
SLOWER = 4
"""Times this machine's processor."""

TRIES = 6

_FIRST_PAINT = """new Promise((done) => new PerformanceObserver((list, observer) => {
  for (const entry of list.getEntriesByName("first-contentful-paint")) {
    observer.disconnect(); done(entry.startTime / 1000);
  }
}).observe({ type: "paint", buffered: true }))"""

_WATCH = """(() => {
  const wanted = new Set(%s);
  window.whenSeen = {};
  const look = () => {
    for (const one of wanted) if (document.querySelector(one)?.checkVisibility()) {
      window.whenSeen[one] = performance.now() / 1000; wanted.delete(one);
    }
    if (wanted.size) requestAnimationFrame(look);
  };
  look();
})()"""


@dataclass
class Cost:
    """Of one opening of a page."""

    path: str
    bytes: int = 0
    """As they came over the line: compressed, with headers."""
    requests: int = 0
    first_paint: float = 0
    """Seconds until the first words or picture; 0 where scripts are off."""
    loaded: float = 0
    """Seconds until all that the page names was there."""
    seen: dict[str, float] = field(default_factory=dict)
    """Seconds until each thing that was asked about was to be seen."""

    def within(self, *, kilobytes: float, first_paint: float) -> None:
        """Hold it to a budget. Raises AssertionError with what it was."""
        assert self.bytes <= kilobytes * 1000, f"{self}"
        assert 0 < self.first_paint <= first_paint, f"{self}"

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.bytes / 1000:.1f} kB in {self.requests} requests,"
            f" first paint {self.first_paint:.2f} s, loaded {self.loaded:.2f} s"
            + "".join(f", {what} {when:.2f} s" for what, when in self.seen.items())
        )


@contextmanager
def slow(page: Page, cost: Cost) -> Iterator[None]:
    """A slow line and a slow phone for a while; what comes meanwhile is counted."""
    session = page.context.new_cdp_session(page)
    session.on("Network.loadingFinished", lambda told: _count(cost, told))
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP_MS,
            "downloadThroughput": DOWN,
            "uploadThroughput": UP,
        },
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    try:
        yield
    finally:
        session.detach()


def _count(cost: Cost, told: dict[str, float]) -> None:
    cost.bytes += int(told["encodedDataLength"])
    cost.requests += 1


def measure(desk: Desk, path: str, *things: str) -> Cost:
    """Open a path slowly; also when each of these selectors is first to be seen."""
    cost = Cost(path)
    desk.page.add_init_script(_WATCH % json.dumps(things))
    with slow(desk.page, cost):
        desk.open(path)
        cost.loaded = desk.page.evaluate(
            "performance.getEntriesByType('navigation')[0].loadEventStart / 1000"
        )
        if desk.javascript:
            cost.first_paint = desk.page.evaluate(_FIRST_PAINT)
            for thing in things:
                desk.page.locator(thing).first.wait_for()
            cost.seen = desk.page.evaluate("window.whenSeen")
    return cost


def best(opened: Callable[[], Cost], first_paint: float, seen: float = float("inf")) -> Cost:
    """Of openings of one page the quickest, each with what it cost; the first good one is the last.

    Good is who paints within `first_paint` seconds and shows all that was asked about in `seen`.
    """
    costs: list[Cost] = []
    for _ in range(TRIES):
        costs.append(cost := opened())
        if cost.first_paint <= first_paint and max(cost.seen.values(), default=0) <= seen:
            break
    return min(costs, key=lambda cost: max([cost.first_paint, *cost.seen.values()]))
