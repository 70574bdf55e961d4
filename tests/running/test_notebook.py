"""The example notebook over an export: every cell whose packages are installed runs."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from casework.model import Role
from tests.api.client import open_town, settings_for

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "cases.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_example_notebook_runs_over_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_town(settings_for(tmp_path / "var")) as town:
        case = town.anonymous().report()
        town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
        town.reviewer.sees(case)
        analyst = town.staff("分析甲", Role.ANALYST)
        made = analyst.get("/exports/cases.geoparquet").content
        (tmp_path / "cases.parquet").write_bytes(made)
        (tmp_path / "streets.geojson").write_bytes(analyst.get("/map/streets").content)
    monkeypatch.setenv("CASEWORK_EXPORTS", str(tmp_path))
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    told: dict[str, Any] = {}
    ran = 0
    for cell in book["cells"]:
        needs = cell["metadata"].get("needs", [])
        if cell["cell_type"] != "code" or not all(map(importlib.util.find_spec, needs)):
            continue
        exec("".join(cell["source"]), told)  # noqa: S102  our own page, run as a reader would
        ran += 1
    assert ran >= 3
    ((street, _name, cases, *_),) = told["by_street"]
    assert street == "110108011" and cases == 1
    streets = told["streets"]
    assert streets["reports"].sum() == 1 and streets["km2"].min() > 0
