"""Asking a model behind an address a site runs: one bounded request, an answer nobody has to trust.

The form is the widely spoken one of OpenAI's API. Knows neither photos nor words; whoever asks says
what the answer must look like.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from recognition.model import Condition, Unavailable

LARGEST = 256 * 1024
"""Bytes of an answer that are read: a proposal is a few hundred, a transcript a few thousand."""

FAILURES = 3
"""In a row, before the address is left alone for a while: a form should not wait each time."""

Answer = TypeVar("Answer")
Meant = TypeVar("Meant")


class Nonsense(Exception):  # noqa: N818  names the finding
    """An answer in the right shape that says nothing; the words go after the address's name."""


class Remote:
    """One address. Fails soft and says how; asked by several threads at once, up to `together`."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key_file: Path | None = None,
        seconds: float = 20.0,
        together: int = 4,
        pause: float = 60.0,
    ) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._key_file = key_file
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(together)
        self._pause = pause
        self._failures = 0
        self._alone_until = 0.0
        self._last = ""
        # Making one reads all certificates: some tens of milliseconds.
        self._trust = httpx.create_ssl_context()

    def post(
        self,
        path: str,
        shape: type[Answer],
        understood: Callable[[Answer], Meant],
        *,
        json: object = None,
        fields: dict[str, str] | None = None,
        file: tuple[str, bytes, str] | None = None,
    ) -> Meant:
        """What is `understood` of the answer to one POST. Raises Unavailable, in Chinese.

        `understood` may raise Nonsense: a failure like any other.

        Called from a thread without an event loop. `file` is name, content and media type.
        """
        if time.monotonic() < self._alone_until:
            raise Unavailable(f"{self.name}暂停使用：{self._last}")
        if not self._places.acquire(blocking=False):
            raise Unavailable(f"{self.name}正忙")
        files = None if file is None else {"file": file}
        try:
            content = asyncio.run(self._ask(path, json, fields, files))
            meant = understood(msgspec.json.decode(content, type=shape))
        except Nonsense as said:
            raise self._failed(str(said)) from said
        except TimeoutError as late:
            raise self._failed("没有在时限内回答") from late
        except (httpx.HTTPError, OSError) as fault:
            raise self._failed(f"连接失败（{type(fault).__name__}）") from fault
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
            raise self._failed("回答不是约定的格式") from fault
        finally:
            self._places.release()
        self._failures = 0
        return meant

    def condition(self) -> Condition:
        """How it is, without asking it."""
        if self._failures:
            return Condition(name=self.name, state="failing", note=self._last)
        return Condition(name=self.name, state="ready")

    def _failed(self, why: str) -> Unavailable:
        self._last = why
        self._failures += 1
        if self._failures >= FAILURES:
            self._alone_until = time.monotonic() + self._pause
        return Unavailable(f"{self.name}{why}")

    async def _ask(
        self,
        path: str,
        json: object,
        fields: dict[str, str] | None,
        files: dict[str, tuple[str, bytes, str]] | None,
    ) -> bytes:
        # Nothing packed: a small packed answer could be a very large one.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key_file is not None:
            headers["Authorization"] = f"Bearer {self._key_file.read_text().strip()}"
        content = b""
        # One bound over everything: an address that drips bytes would outlast any single read.
        async with (
            asyncio.timeout(self._seconds),
            httpx.AsyncClient(verify=self._trust, timeout=self._seconds) as client,
            client.stream(
                "POST", self._url + path, headers=headers, json=json, data=fields, files=files
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise self._failed(f"回答了状态 {answer.status_code}")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise self._failed("回答的不是 JSON")
            async for piece in answer.aiter_raw():
                content += piece
                if len(content) > LARGEST:
                    raise self._failed("回答过长")
        return content
