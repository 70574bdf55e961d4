"""An outside geocoder, where one is set: address text to points. Fails soft, and says so.

Asks one URL and reads GeoJSON, which Nominatim, Photon and Pelias answer with. Knows no case; what
is asked leaves this machine, so that it is off unless an operator sets it.
"""

import asyncio
from urllib.parse import quote

import httpx
import msgspec

from api.geocoding import Found, GeocoderFailed
from casework.model import Crs
from geo.coordinates import to_wgs84

SECONDS = 2.0
"""How long somebody at a form waits before our own answer is shown."""

LARGEST = 256 * 1024
"""Bytes of an answer that are read: twenty places are a few thousand."""

UNTOLD_M = 500.0
"""Accuracy of a place whose geocoder tells none: a street found instead of a house."""

NAMES = ("label", "display_name", "formatted", "name")
"""Where geocoders write a place's name, the fullest first."""

LONGEST_NAME = 120


class _Point(msgspec.Struct):
    type: str
    coordinates: list[float]


class _Feature(msgspec.Struct):
    geometry: _Point
    properties: dict[str, object] = msgspec.field(default_factory=dict)


class _Answer(msgspec.Struct):
    features: list[msgspec.Raw]


class Geocoder:
    """One outside service. `url` holds `{q}` where the text goes, else it is sent as `q`.

    `crs` is the system its answers are in.
    """

    def __init__(self, url: str, crs: Crs, seconds: float = SECONDS) -> None:
        self._url = url
        self._crs = crs
        self._seconds = seconds
        # Making one reads all certificates: some tens of milliseconds.
        self._trust = httpx.create_ssl_context()

    async def find(self, text: str, limit: int) -> tuple[Found, ...]:
        """Places the text may mean, in the service's own order.

        Raises GeocoderFailed.
        """
        try:
            async with asyncio.timeout(self._seconds):
                content = await self._ask(text)
            answer = msgspec.json.decode(content, type=_Answer)
        except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError) as fault:
            raise GeocoderFailed(type(fault).__name__) from fault
        found = (self._place(raw) for raw in answer.features)
        return tuple(place for place in found if place is not None)[:limit]

    async def _ask(self, text: str) -> bytes:
        filled = self._url.replace("{q}", quote(text, safe=""))
        url = httpx.URL(filled)
        if filled == self._url:
            url = url.copy_merge_params({"q": text})
        content = b""
        async with (
            httpx.AsyncClient(verify=self._trust, timeout=self._seconds) as client,
            client.stream("GET", url, headers={"Accept": "application/geo+json, */*"}) as answer,
        ):
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise GeocoderFailed("answer too large")
        return content

    def _place(self, raw: msgspec.Raw) -> Found | None:
        """The place of a feature; None for one that is no point with a name."""
        try:
            feature = msgspec.json.decode(raw, type=_Feature)
        except msgspec.MsgspecError:
            return None
        told = feature.properties
        name = next((told[key] for key in NAMES if isinstance(told.get(key), str)), None)
        at = feature.geometry.coordinates
        if feature.geometry.type != "Point" or len(at) < 2 or not isinstance(name, str):
            return None
        if not (-180 <= at[0] <= 180 and -90 <= at[1] <= 90):
            return None
        lon, lat = to_wgs84(at[0], at[1], self._crs.value)
        accuracy = told.get("accuracy_m")
        known = isinstance(accuracy, (int, float)) and 0 < accuracy < 100_000
        plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
        return Found(
            plain[:LONGEST_NAME],
            lon,
            lat,
            float(accuracy) if known else UNTOLD_M,  # type: ignore[arg-type]  # `known` says it is a number
        )
