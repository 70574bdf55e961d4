"""What an outside geocoder answers, and how it fails. Knows no service and no way to ask one."""

from typing import Protocol

import msgspec


class GeocoderFailed(Exception):  # noqa: N818  names the finding
    """No answer in time, or none that can be read."""


class Found(msgspec.Struct, frozen=True):
    """A place, WGS-84 degrees."""

    name: str
    lon: float
    lat: float
    accuracy_m: float


class Geocoding(Protocol):
    """An outside geocoder. The client's library is loaded only where one is set."""

    async def find(self, text: str, limit: int) -> tuple[Found, ...]:
        """Places the text may mean, in the service's own order. Raises GeocoderFailed."""
        ...
