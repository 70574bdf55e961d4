"""The API's description: committed as it is, with examples that its own forms take."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel

from api.app import served
from api.examples import ANSWERS, EXAMPLES
from api.schemas import Wire
from tests.api.client import Town
from tests.api.described import as_described

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
DESCRIBED = json.loads(COMMITTED.read_text())


def shapes(root: type[BaseModel] = Wire) -> Iterator[type[BaseModel]]:
    for shape in root.__subclasses__():
        yield shape
        yield from shapes(shape)


SHAPES = {shape.__name__: shape for shape in shapes()}


def operations() -> Iterator[tuple[str, dict[str, object]]]:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_the_committed_description_is_the_apps(town: Town) -> None:
    told = town.http.get("/api/v1/openapi.json").json()
    assert told == DESCRIBED, "write it anew: python scripts/write_openapi.py"


def test_every_route_is_described_with_who_may_ask_and_every_refusal() -> None:
    described = dict(operations())
    told = [route for _, route in served() if route.include_in_schema]
    assert len(described) == sum(len(route.methods or ()) for route in told)
    for operation in described.values():
        assert "谁可以" in str(operation["description"])
        responses = operation["responses"]
        assert isinstance(responses, dict)
        assert {"400", "401", "403", "422", "429", "503"} <= responses.keys()
        assert operation["security"]


def test_every_form_has_an_example() -> None:
    for name, operation in operations():
        body = operation.get("requestBody")
        content = body["content"] if isinstance(body, dict) else {}
        if "application/json" in content:
            form = content["application/json"]
            shape = form["schema"]["$ref"].rsplit("/", 1)[-1]
            own = DESCRIBED["components"]["schemas"][shape].get("examples")
            assert "examples" in form or own, f"{name}: {shape}"


@pytest.mark.parametrize("name", [*EXAMPLES, *ANSWERS])
def test_an_example_is_what_its_shape_takes(name: str) -> None:
    if name == "ProblemOut":
        return  # made by msgspec; its example is told by the tests of refusals
    example = EXAMPLES.get(name) or ANSWERS.get(name, {})
    SHAPES[name].model_validate_json(json.dumps(example))


def test_examples_of_reports_are_taken_in(town: Town) -> None:
    example = DESCRIBED["components"]["schemas"]["ReportIn"]["examples"][0]
    assert town.citizen("市民甲").post("/reports", example).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "status", "kind", "is_so"),
    [
        ("GET", "/api/v1/cases", 200, "application/json", True),
        ("GET", "/api/v1/cases?limit=1", 400, "application/problem+json", True),
        ("GET", "/api/v1/cases", 418, "application/problem+json", False),
        ("GET", "/api/v1/cases", 200, "text/html", False),
        ("GET", "/api/v1/exports/cases.xlsx", 200, "text/csv; charset=utf-8", True),
        ("GET", "/api/v1/nowhere", 404, "application/problem+json", True),
        ("GET", "/api/v1/nowhere", 200, "application/json", False),
        ("GET", "/sign-in", 418, "text/html", True),  # a page is not of the API
    ],
)
def test_an_answer_that_the_description_does_not_name_is_told(
    method: str, path: str, status: int, kind: str, *, is_so: bool
) -> None:
    request = httpx.Request(method, f"http://127.0.0.1{path}")
    answer = httpx.Response(status, headers={"Content-Type": kind}, request=request)
    if is_so:
        as_described(answer)
        return
    with pytest.raises(AssertionError):
        as_described(answer)
