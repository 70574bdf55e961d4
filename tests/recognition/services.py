"""A small real server on the loopback: answers as a test says, remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Said(NamedTuple):
    """What to answer: `drip` sends a byte at a time, `hang` nothing, each until the test ends."""

    body: bytes = b"{}"
    status: int = 200
    content_type: str = "application/json"
    drip: bool = False
    hang: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class Asked(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """The server. `says` may be changed between questions."""

    def __init__(self) -> None:
        self.says = Said()
        self.asked: list[Asked] = []
        self.over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service._answer(self)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        headers = {k.lower(): v for k, v in handler.headers.items()}
        self.asked.append(Asked(handler.path, headers, body))
        says = self.says
        if says.hang:
            self.over.wait(30)
            return
        try:
            handler.send_response(says.status)
            handler.send_header("Content-Type", says.content_type)
            handler.send_header("Content-Length", str(len(says.body)))
            for name, value in says.headers:
                handler.send_header(name, value)
            handler.end_headers()
            for byte in says.body if says.drip else ():
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                if self.over.wait(0.05):
                    return
            if not says.drip:
                handler.wfile.write(says.body)
        except OSError:
            return  # the other end had enough, which is what some tests are about

    def completes(self, content: str) -> None:
        """Answer with a chat completion of this content."""
        self.says = Said(json.dumps({"choices": [{"message": {"content": content}}]}).encode())

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def service() -> Iterator[Service]:
    """One for a test."""
    made = Service()
    try:
        yield made
    finally:
        made.close()
