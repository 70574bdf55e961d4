"""Watches from outside what workers use. Asks the system, not them, and knows no limit.

Looked at are the processes that a bench forks for each file. Whoever used more time or memory than
a worker may would be seen: looks come far oftener than that takes.
"""

import threading
import time
from contextlib import suppress
from typing import Self

import psutil

LOOK_SECONDS = 0.2


class Watch(threading.Thread):
    """From entering to leaving: the most that any worker of a process used, and its benches.

    `module` is what the benches serve. CPU and lifetime in seconds, address space in bytes.
    """

    def __init__(self, server: int, module: str) -> None:
        super().__init__(name="watch", daemon=True)
        self._server = psutil.Process(server)
        self._module = module
        self._ended = threading.Event()
        self._first_seen: dict[tuple[int, float], float] = {}
        self.benches: set[int] = set()
        self.cpu = self.seconds = 0.0
        self.address_space = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    @property
    def workers(self) -> int:
        """How many were seen at work; most are gone between two looks."""
        return len(self._first_seen)

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with suppress(psutil.NoSuchProcess):
                for bench in self._server.children():
                    self._look(bench)

    def _look(self, bench: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess):
            if self._module not in bench.cmdline():
                return
            self.benches.add(bench.pid)
            for worker in bench.children():
                with suppress(psutil.NoSuchProcess):
                    used = worker.cpu_times()
                    self.cpu = max(self.cpu, used.user + used.system)
                    self.address_space = max(self.address_space, worker.memory_info().vms)
                    self._lives(worker)

    def _lives(self, worker: psutil.Process) -> None:
        name, now = (worker.pid, worker.create_time()), time.monotonic()
        self.seconds = max(self.seconds, now - self._first_seen.setdefault(name, now))
