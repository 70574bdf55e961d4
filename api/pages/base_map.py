"""The map under our own layers, by setting: none, 天地图, 高德 or 腾讯. Fetches nothing itself.

The default is none: the pages show the 街镇 boundaries of the engine's own and ask no other machine
for anything. A map of others shows its 审图号, as the rules on public maps (地图管理条例) want it.
高德 and 腾讯 draw in GCJ-02: the layers are shifted there, the pin is shifted back.
"""

import json
from collections.abc import Mapping

import msgspec

from api.settings import Settings
from casework.model import Crs


class BaseMap(msgspec.Struct, frozen=True, kw_only=True):
    """A map of others: where its pictures are, in which CRS, what must be said of it.

    `tiles` are templates of addresses with {s}, {x}, {y}, {z} or {-y}, one drawn over the other;
    `hosts` is what the page may fetch pictures from.
    """

    tiles: tuple[str, ...]
    hosts: str
    subdomains: str
    crs: Crs
    name: str


_TIANDITU = (
    "https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)

_OTHERS: Mapping[str, BaseMap] = {
    "amap": BaseMap(
        tiles=(
            "https://webrd0{s}.is.autonavi.com/appmaptile?style=8&lang=zh_cn&x={x}&y={y}&z={z}",
        ),
        hosts="https://*.is.autonavi.com",
        subdomains="1234",
        crs=Crs.GCJ02,
        name="高德地图",
    ),
    "tencent": BaseMap(
        tiles=("https://rt{s}.map.gtimg.com/tile?z={z}&x={x}&y={-y}&type=vector&styleid=1",),
        hosts="https://*.map.gtimg.com",
        subdomains="0123",
        crs=Crs.GCJ02,
        name="腾讯地图",
    ),
}


def base_map(settings: Settings) -> BaseMap | None:
    """The map that is set, or None: our own layer of boundaries alone."""
    if settings.base_map == "tianditu":
        layers = ("vec", "cva")
        return BaseMap(
            tiles=tuple(_TIANDITU.format(layer=one, key=settings.base_map_key) for one in layers),
            hosts="https://*.tianditu.gov.cn",
            subdomains="01234567",
            crs=Crs.CGCS2000,
            name="天地图",
        )
    return _OTHERS.get(settings.base_map)


def told(settings: Settings) -> str:
    """What map.js reads of it, as JSON for an attribute."""
    found = base_map(settings)
    own = "街镇界线：示意，非法定界线"
    if found is None:
        return json.dumps({"tiles": [], "crs": "wgs84", "says": own}, ensure_ascii=False)
    approval = f" {settings.base_map_approval}" if settings.base_map_approval else ""
    return json.dumps(
        {
            "tiles": found.tiles,
            "subdomains": found.subdomains,
            "crs": "gcj02" if found.crs is Crs.GCJ02 else "wgs84",
            "says": f"{found.name}{approval} · {own}",
        },
        ensure_ascii=False,
    )
