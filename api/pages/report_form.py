"""What stands in the form of a report: the fields it posts, as the form of the API, and what lacks.

Everything that is missing is said at once, in the order of the page. Knows no route.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from pydantic import ValidationError

from api.pages.posted import Posted, shaped
from api.pages.refusing import Refused, Wrong, problem_of, refused, wrongs
from api.problems import FieldError, Problem
from api.routes.indicators import PLACE_NAMES
from api.schemas import ReportIn
from casework.model import Crs, PlaceKind

ACTION = "report"
"""Fields have ids that begin with it; errors lead to them."""

CHANNELS: Mapping[str, str] = {
    "phone": "来电",
    "counter": "来访",
    "letter": "来信",
    "patrol": "巡查发现",
    "other": "其他",
}
"""How a report came that staff enter for somebody."""

NO_PHOTO: Mapping[str, str] = {
    "dangerous": "现场危险",
    "dark": "天黑拍不清",
    "gone": "已经离开现场",
    "no_camera": "没有相机",
    "phone_call": "电话里说的",
}

CRS_NAMES: Mapping[str, str] = {
    Crs.WGS84: "WGS-84（GPS）",
    Crs.GCJ02: "GCJ-02（高德、微信）",
    Crs.CGCS2000: "CGCS2000",
    Crs.BD09: "BD-09（百度）",
}

LABELS: Mapping[str, str] = {
    "photos": "照片",
    "no_photo_reason": "没有照片的原因",
    "place": "位置",
    "place.kind": "场所",
    "place.address": "地址",
    "indicator": "问题类别",
    "text": "描述",
    "recording": "语音",
    "contact": "联系方式",
    "source_channel": "来源",
    "external_refs": "外部编号",
    "recognition": "类别推荐",
}
"""The fields of the page in its order."""

PLACES = tuple((kind.value, PLACE_NAMES[kind]) for kind in PlaceKind)


class Pin(NamedTuple):
    """A point as it came: degrees in its own CRS, metres."""

    lon: float
    lat: float
    crs: Crs
    accuracy_m: float | None


def pin_of(values: Mapping[str, tuple[str, ...]]) -> Pin | None:
    """The point that stands in the form, if it is one."""
    try:
        lon, lat = float(one(values, "place.lon")), float(one(values, "place.lat"))
        crs = Crs(one(values, "place.crs") or Crs.WGS84)
        accuracy = one(values, "place.accuracy_m")
        pin = Pin(lon, lat, crs, float(accuracy) if accuracy else None)
    except ValueError:
        return None
    near = -180 <= pin.lon <= 180 and -90 <= pin.lat <= 90
    return pin if near and 0 <= (pin.accuracy_m or 0.0) <= 100_000 else None


def one(values: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The last value of a field, or nothing."""
    return (values.get(name) or ("",))[-1].strip()


def with_choice(values: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The values with the place that was chosen of those found: `lon lat accuracy name`."""
    filled = dict(values)
    chosen = one(values, "place.pick").split(" ", 3)
    if len(chosen) == 4:
        lon, lat, accuracy, name = chosen
        filled |= {
            "place.lon": (lon,), "place.lat": (lat,), "place.crs": (Crs.WGS84.value,),
            "place.accuracy_m": (accuracy,), "place.address": (name,),
        }  # fmt: skip
    return filled


def report_of(values: Mapping[str, tuple[str, ...]]) -> ReportIn | Refused:
    """The report that the fields make, or all that is wrong with them."""
    lacking = list(_lacking(values))
    try:
        report = ReportIn.model_validate_json(msgspec.json.encode(_shape(values)))
    except ValidationError as invalid:
        problem, _ = problem_of(invalid)
        known = {wrong.field for wrong in lacking}
        lacking += [wrong for wrong in _wrongs(problem.errors) if wrong.field not in known]
    else:
        if not lacking:
            return report
    order = list(LABELS)
    lacking.sort(key=lambda wrong: order.index(wrong.field) if wrong.field in order else 99)
    return refusal(Problem("/problems/invalid", "还差一点", 422, ""), values, tuple(lacking))


def refusal(
    problem: Problem,
    values: Mapping[str, tuple[str, ...]],
    wrong: tuple[Wrong, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Refused:
    """A problem as the page says it above the form, with all that was filled in."""
    found = refused(ACTION, problem, values, headers=headers)
    return replace(found, wrong=wrong or _wrongs(problem.errors))


def _wrongs(errors: Sequence[FieldError]) -> tuple[Wrong, ...]:
    """The errors of fields under the names that they have on this page."""
    return wrongs(ACTION, errors, lambda _action, name: LABELS.get(name, ""), _on_the_page)


def _on_the_page(field: str) -> str:
    for name in sorted(LABELS, key=len, reverse=True):
        if field == name or field.startswith(f"{name}."):
            return name
    return field


def _lacking(values: Mapping[str, tuple[str, ...]]) -> list[Wrong]:
    """What a report needs and this one lacks, each with what to do."""
    told = [
        ("photos", "请至少拍一张照片；确实拍不了的，请选择原因。",
         one(values, "photos") or one(values, "no_photo_reason")),
        ("place", "还没有位置。请允许定位、在地图上点选，或填写地址后查找。",
         one(values, "place.lon") and one(values, "place.lat")),
        ("place.kind", "请选择这是什么地方。", one(values, "place.kind")),
        ("indicator", "请选择问题类别，或写几句话，或录一段语音。",
         one(values, "indicator") or one(values, "text") or one(values, "recording")),
    ]  # fmt: skip
    return [Wrong(name, LABELS[name], says) for name, says, there in told if not there]


def _shape(values: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    shape = shaped(ReportIn, Posted(values, {}))
    if one(values, "photos"):
        shape.pop("no_photo_reason", None)  # a reason why there is none, and there is one
    number, platform = one(values, "external_number"), one(values, "external_platform")
    if number or platform:
        shape["external_refs"] = [{"platform": platform, "number": number}]
    return shape
