"""`casework boundaries`: check, compare and adopt, over files of every kind."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from api.__main__ import program
from api.boundary_versions import MapUnusable
from api.commands.exits import Exit, Refused
from api.commands.opening import opened
from geo.coordinates import Crs
from geo.dispatch import Certainty
from tests.api.client import INSIDE, XUEYUANLU, ZHONGGUANCUN, open_town, prepared, settings_for
from tests.api.district_files import frame, write

LON, LAT = float(str(INSIDE["lon"])), float(str(INSIDE["lat"]))


def boundaries(var: Path, *words: str) -> Result:
    """The command, over the data folder `var`."""
    called = ["boundaries", *words]
    return CliRunner().invoke(program("boundaries"), called, env={"CASEWORK_VAR": str(var)})


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=2)


def adopt(var: Path, file: Path, *more: str) -> Result:
    return boundaries(var, "adopt", str(file), "--source", "区政府〔2026〕1号", *more)


@pytest.mark.parametrize(
    ("crs", "name"),
    [
        (Crs.WGS84, "d.geojson"),
        (Crs.GCJ02, "d.shp"),
        (Crs.WGS84, "d.gpkg"),
        pytest.param(Crs.GCJ02, "d.geojson", marks=pytest.mark.deep),
        pytest.param(Crs.WGS84, "d.shp", marks=pytest.mark.deep),
        pytest.param(Crs.GCJ02, "d.gpkg", marks=pytest.mark.deep),
    ],
)
def test_a_map_of_any_kind_is_adopted_from_its_time_on(tmp_path: Path, name: str, crs: Crs) -> None:
    var, holds = prepared(tmp_path / "var"), soon()
    told = ["--crs", "gcj02"] if crs is Crs.GCJ02 else []
    file = write(tmp_path / name, crs)
    done = adopt(var, file, "--from", holds.isoformat(), "--accuracy-m", "20", *told)
    assert done.exit_code == Exit.DONE, done.output
    with opened(settings_for(var)) as parts:
        adopted = parts.casework.references.boundaries[1]
        assert (adopted.source, adopted.accuracy_note) == ("区政府〔2026〕1号", "边界精度 20 米")
        assert (parts.boundaries.folder / adopted.sha256 / "edges.csv").exists()
        before = parts.boundaries.at(holds - timedelta(microseconds=1)).assign(LON, LAT)
        after = parts.boundaries.at(holds).assign(LON, LAT)
    assert (before.street, before.boundary_version) == (ZHONGGUANCUN, 1)
    assert (after.street, after.boundary_version) == (XUEYUANLU, 2)
    assert after.certainty is Certainty.INSIDE


def test_an_adoption_without_notice_is_refused_and_nothing_is_recorded(tmp_path: Path) -> None:
    var, file = prepared(tmp_path / "var"), write(tmp_path / "d.gpkg")
    done = adopt(var, file, "--from", datetime.now(UTC).isoformat())
    assert isinstance(done.exception, Refused) and "生效时间过早" in str(done.exception)
    wrong = adopt(var, file, "--from", "明天")
    assert isinstance(wrong.exception, Refused) and wrong.exception.code is Exit.BAD_INPUT
    with opened(settings_for(var)) as parts:
        assert len(parts.casework.references.boundaries) == 1


def test_a_map_is_adopted_once(tmp_path: Path) -> None:
    var, file = prepared(tmp_path / "var"), write(tmp_path / "d.gpkg")
    assert adopt(var, file).exit_code == Exit.DONE
    again = adopt(var, file)
    assert "没有变化" in str(again.exception)


def test_a_map_with_faults_is_told_with_their_places_and_not_adopted(tmp_path: Path) -> None:
    var, file = prepared(tmp_path / "var"), tmp_path / "d.gpkg"
    made = frame(moved=False)
    made = made[made.code != XUEYUANLU].copy()
    hole = made.geometry[made.code == ZHONGGUANCUN].iloc[0].representative_point().buffer(0.001)
    made.loc[made.code == ZHONGGUANCUN, "geometry"] = (
        made.geometry[made.code == ZHONGGUANCUN].iloc[0].difference(hole)
    )
    made.to_file(file)
    told = boundaries(var, "check", str(file))
    assert told.exit_code == Exit.FOUND_WRONG
    assert "缺少学院路街道（110108010）" in told.stdout
    gap = next(line for line in told.stdout.splitlines() if "空隙" in line)
    assert gap.startswith("错误") and "东经 116." in gap and "北纬 3" in gap
    refused = adopt(var, file)
    assert isinstance(refused.exception, Refused)
    assert refused.exception.code is Exit.FOUND_WRONG
    with opened(settings_for(var)) as parts:
        assert len(parts.casework.references.boundaries) == 1


def test_a_sound_map_checks_clean_and_a_shifted_one_does_not(tmp_path: Path) -> None:
    sound = boundaries(tmp_path / "var", "check", str(write(tmp_path / "d.geojson", moved=False)))
    assert sound.exit_code == Exit.DONE and sound.stdout.startswith("29 个街镇")
    off = boundaries(tmp_path / "var", "check", str(write(tmp_path / "s.geojson", Crs.GCJ02)))
    assert off.exit_code == Exit.FOUND_WRONG and "疑为 GCJ-02" in off.stdout
    assert not (tmp_path / "var").exists(), "looking makes nothing"


def test_compare_names_ground_and_open_cases_and_draws_them(tmp_path: Path) -> None:
    var = tmp_path / "var"
    with open_town(settings_for(var)) as town:
        moved, elsewhere, ended = (
            town.citizen("市民甲").report(),
            town.citizen("市民甲").report(place={**INSIDE, "lon": 116.25, "lat": 40.05}),
            town.citizen("市民甲").report(),
        )
        town.citizen("市民甲").act(ended, "withdraw", "withdrawn")
        file, picture = write(tmp_path / "d.geojson"), tmp_path / "map.png"
        told = boundaries(var, "compare", str(file), "--picture", str(picture))
    assert told.exit_code == Exit.DONE, told.output
    first, *rest = told.stdout.splitlines()
    assert first.startswith("1\t中关村街道划入学院路街道 0.7") and "东经 116.32" in first
    assert "在办案件 2 个，其中 1 个换街镇。" in rest
    assert f"{moved.number}\t中关村街道 → 学院路街道\t待审核" in rest
    assert elsewhere.number not in told.stdout and ended.number not in told.stdout
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG" and drawn.width == 1600
        colours = {colour for _, colour in drawn.getcolors(1 << 24) or ()}
    assert {(0xE0, 0x50, 0x40), (0x1F, 0x5F, 0xBF), (0x8A, 0x8A, 0x8A)} <= colours


def test_points_of_a_table_are_compared_where_no_engine_was_ever_started(tmp_path: Path) -> None:
    table = tmp_path / "p.csv"
    table.write_text(f"id,lon,lat\na,{LON},{LAT}\nb,116.25,40.05\n", encoding="utf-8")
    file = write(tmp_path / "d.geojson")
    told = boundaries(tmp_path / "var", "compare", str(file), "--points", str(table))
    assert "点 2 个，其中 1 个换街镇。\na\t中关村街道 → 学院路街道\n" in told.stdout
    same = write(tmp_path / "same.geojson", moved=False)
    plain = tmp_path / "plain.png"
    told = boundaries(tmp_path / "var", "compare", str(same), "--picture", str(plain))
    assert "没有变化。" in told.stdout and plain.exists()


def test_a_map_that_was_changed_on_the_disk_is_not_used(tmp_path: Path) -> None:
    var = prepared(tmp_path / "var")
    assert adopt(var, write(tmp_path / "d.gpkg")).exit_code == Exit.DONE
    with opened(settings_for(var)) as parts:
        kept = parts.boundaries.folder / parts.casework.references.boundaries[1].sha256
        nodes = kept / "nodes.csv"
        nodes.write_bytes(nodes.read_bytes().replace(b"116.2", b"116.3", 1))
        with pytest.raises(MapUnusable, match="与启用时不符"):
            parts.boundaries.of(2)
        nodes.unlink()
        with pytest.raises(MapUnusable):
            parts.boundaries.read_ahead(datetime.now(UTC))
        assert parts.boundaries.usable(datetime.now(UTC)), "the one in force is whole"
        assert not parts.boundaries.usable(soon())
    again = adopt(var, write(tmp_path / "e.gpkg", moved=False))
    assert again.exit_code == Exit.DONE, "another map can still be adopted"
