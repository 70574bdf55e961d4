"""Every answer of the API's tests is one that its description names: the status, and of what type.

Reads the committed description; knows no route. That the app gives this one is another test.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
PREFIX = "/api/v1/"
ITSELF = "/api/v1/openapi.json"

Answers = dict[str, dict[str, object]]

_BY_NOTHING = {404, 405}
"""What a path or a method that is not there is answered with: nothing describes it."""


def as_described(answer: httpx.Response) -> None:
    """Raise AssertionError for an answer that the description of its operation does not name."""
    request = answer.request
    path = request.url.raw_path.partition(b"?")[0].decode()
    if not path.startswith(PREFIX) or path == ITSELF or request.method == "HEAD":
        return
    found = _answers(request.method, path)
    asked = f"{request.method} {path}: {answer.status_code}"
    if found is None:
        assert answer.status_code in _BY_NOTHING, f"{asked}, and the operation is not described"
        return
    assert str(answer.status_code) in found, f"{asked} is not described: {sorted(found)}"
    content = found[str(answer.status_code)].get("content")
    kind = answer.headers.get("content-type")
    if isinstance(content, dict) and kind is not None:
        plain = kind.partition(";")[0]
        told = {kind, plain, f"{plain.partition('/')[0]}/*"} & content.keys()
        assert told, f"{asked} {kind}: {[*content]}"


def _answers(method: str, path: str) -> Answers | None:
    """The answers of the operation; of several that fit it is the one with fewest parameters."""
    for pattern, answers in _operations()[method, path.count("/")]:
        if pattern.fullmatch(path):
            return answers
    return None


@cache
def _operations() -> dict[tuple[str, int], list[tuple[re.Pattern[str], Answers]]]:
    """By method and depth, the most literal ones first."""
    found: dict[tuple[str, int], list[tuple[re.Pattern[str], Answers]]] = defaultdict(list)
    for method, path, answers in sorted(_described(), key=lambda each: each[1].count("{")):
        literal = re.split(r"\{[^}]+\}", path)
        pattern = re.compile("[^/]+".join(map(re.escape, literal)))
        found[method, path.count("/")].append((pattern, answers))
    return found


def _described() -> Iterator[tuple[str, str, Answers]]:
    described = json.loads(COMMITTED.read_text())
    named = described["components"]["responses"]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            answers = {
                status: named[answer["$ref"].rsplit("/", 1)[-1]] if "$ref" in answer else answer
                for status, answer in operation["responses"].items()
            }
            yield method.upper(), path, answers
