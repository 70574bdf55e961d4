"""Residents with photos, as clients of a server that runs somewhere. Knows only what HTTP tells.

Each sends its photos one after another and then the report that cites those that were taken in. Who
is answered 503 with Retry-After waits as long as that says and sends again.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.api.client import is_problem
from tests.assurance.load import somewhere
from tests.evidence.corpus import Sample

NAME = "wangxiaoer-13900007788.jpg"
"""What every file is called: a name that must be nowhere afterwards."""
MOST_WAITS = 200
"""After so many answers of 503 to one request the server counts as wedged."""
PATIENCE = 300.0
_WAIT = threading.Event()
_LOOK_SECONDS = 0.2

Photo = Mapping[str, object]


@dataclass
class Reported:
    """A report that stands: the photos it cites, and how many the door turned away for what."""

    case_id: str
    position: int
    receipt: str
    cited: dict[str, Sample]
    refused: Counter[str]


@dataclass
class Residents:
    """Many persons at one address. Thread-safe: a connection and a draft belong to one report."""

    base_url: str
    statuses: Counter[int] = field(default_factory=Counter)
    waited: int = 0
    uncited: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, number: int, samples: Sequence[Sample]) -> Reported:
        """Send these photos and a report; every tenth sends one photo twice and cites it once."""
        draft = str(uuid4())
        cited: dict[str, Sample] = {}
        refused: Counter[str] = Counter()
        with self._client() as http:
            for sample in samples:
                answer = self._photo(http, draft, sample)
                if answer.status_code == 201:
                    cited[answer.json()["upload"]] = sample
                else:
                    refused[why_refused(answer, sample)] += 1
            if cited and number % 10 == 0:
                again = self._photo(http, draft, next(iter(cited.values())))
                assert again.status_code == 201 and again.json()["upload"] not in cited
                with self._lock:
                    self.uncited += 1
            photos = [{"upload": upload, "source": "camera"} for upload in cited]
            without = {} if photos else {"no_photo_reason": "no_camera"}
            form = {**report(random.Random(number)), "photos": photos, **without}
            headers = {"Draft": draft, "Idempotency-Key": draft}
            answer = self._sent(lambda: http.post("/api/v1/reports", headers=headers, json=form))
        assert answer.status_code == 201, answer.text
        told = answer.json()
        return Reported(told["case_id"], told["position"], told["receipt"], cited, refused)

    def photos(self, http: httpx.Client, reported: Reported) -> Sequence[Photo]:
        """The photos of a report, once none of them is being looked at any more."""
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.get(
                http, f"/api/v1/cases/{reported.case_id}/photos", after=reported.position
            )
            assert answer.status_code == 200, answer.text
            found: list[Photo] = answer.json()["photos"]
            if all(photo["state"] != "examining" for photo in found):
                return found
            assert time.monotonic() < until, "a photo is looked at for ever"
            _WAIT.wait(_LOOK_SECONDS)

    def holder(self, reported: Reported) -> httpx.Client:
        """Whoever holds the receipt."""
        return self._client(Authorization=f"Receipt {reported.receipt}")

    def get(self, http: httpx.Client, path: str, **query: str | int) -> httpx.Response:
        answer = http.get(path, params=query)
        self._count(answer)
        return answer

    def _client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=PATIENCE)

    def _photo(self, http: httpx.Client, draft: str, sample: Sample) -> httpx.Response:
        files = {"file": (NAME, sample.content, "image/jpeg")}
        headers = {"Draft": draft}
        return self._sent(lambda: http.post("/api/v1/photos", headers=headers, files=files))

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until the answer is another than `come again later`."""
        for _ in range(MOST_WAITS):
            answer = send()
            self._count(answer)
            if answer.status_code != 503:
                return answer
            is_problem(answer, 503, "examining-full")
            seconds = int(answer.headers["Retry-After"])
            with self._lock:
                self.waited += 1
            _WAIT.wait(seconds)
        raise AssertionError(f"503 for {MOST_WAITS} times")

    def _count(self, answer: httpx.Response) -> None:
        with self._lock:
            self.statuses[answer.status_code] += 1


def why_refused(answer: httpx.Response, sample: Sample) -> str:
    """The kind of a refusal at the door, which is a problem in Chinese of the client's making."""
    assert 400 <= answer.status_code < 500, f"{sample.name}: {answer.status_code} {answer.text}"
    kind = str(answer.json()["type"]).removeprefix("/problems/")
    is_problem(answer, answer.status_code, kind)
    return kind


def report(rng: random.Random) -> dict[str, object]:
    return {
        "place": somewhere(rng),
        "text": f"路边堆着一堆垃圾，第{rng.randrange(10**9)}次反映。",
    }
