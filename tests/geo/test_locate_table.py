import csv
import io

import pytest

from geo.boundaries import Boundaries
from geo.coordinates import from_wgs84
from geo.dispatch import Dispatcher
from geo.locate_table import HEAD, BadRowError, Located, locate_table

BUNDLED = Dispatcher(Boundaries.bundled())
TABLE = """id,lon,lat
pku,116.3045,39.993
playground,116.2873,39.990
forbidden-city,116.397,39.917
shanghai,121.47,31.23
"""


def _locate(text: str, crs: str = "wgs84") -> dict[str, Located]:
    return {row.id: row for row in locate_table(io.StringIO(text), BUNDLED, crs)}


def test_each_row_gets_the_verdict_on_its_place() -> None:
    rows = _locate(TABLE)
    assert list(rows) == ["pku", "playground", "forbidden-city", "shanghai"]
    assert rows["pku"][1:3] == ("110108015", "inside")
    assert float(rows["pku"].border_m) > 50
    assert rows["pku"].because.startswith("位于燕园街道内")


def test_where_a_person_must_decide_the_best_unit_is_still_named() -> None:
    row = _locate(TABLE)["playground"]
    assert row.certainty == "contested"
    assert {row.street, row.runner_up} == {"110108013", "110108023"}


def test_the_street_is_empty_only_outside_the_district() -> None:
    for row in _locate(TABLE).values():
        assert (row.street == "") == (row.certainty == "outside_district")


def test_positions_in_another_system_are_turned_first() -> None:
    lon, lat = from_wgs84(116.3045, 39.993, "gcj02")
    assert _locate(f"id,lon,lat\npku,{lon},{lat}\n", "gcj02")["pku"].street == "110108015"


def test_a_reports_own_accuracy_is_used_where_given() -> None:
    rows = _locate("lat,lon,id,accuracy_m\n40.07,116.1,sure,\n40.07,116.1,lost,5000\n")
    assert rows["sure"].certainty == "inside"
    assert rows["lost"].certainty == "near_border"


def test_a_table_saved_by_a_spreadsheet_is_read() -> None:
    assert _locate("\ufeff" + TABLE.replace("\n", "\r\n"))["pku"].street == "110108015"


def test_the_answer_is_a_table_under_its_head() -> None:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(HEAD)
    table.writerows(locate_table(io.StringIO(TABLE), BUNDLED))
    back = list(csv.DictReader(out.getvalue().splitlines()))
    assert back[0]["street"] == "110108015"
    assert Located(**back[0]) == _locate(TABLE)["pku"]


@pytest.mark.parametrize("figure", ["", "abc", "nan", "inf"])
def test_a_figure_that_is_none_is_refused_with_its_line(figure: str) -> None:
    with pytest.raises(BadRowError, match=f"第 3 行的 lat 不是数字：“{figure}”"):
        _locate(f"id,lon,lat\na,116.3,40.0\nb,116.3,{figure}\n")


def test_a_missing_column_is_refused_by_name() -> None:
    with pytest.raises(BadRowError, match="表头缺少列：lat"):
        _locate("id,lon\na,116.3\n")


def test_a_table_without_rows_gets_no_answer() -> None:
    assert _locate("id,lon,lat\n") == {}
