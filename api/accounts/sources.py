"""Where a request comes from, as a keyed hash. Never keeps or tells an address.

IPv6 is taken by /64, since one household or phone owns a whole one; an IPv4 address mapped into
IPv6 counts as the IPv4 address.
"""

from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_UNREADABLE = b"unreadable"


class Sources:
    """Turns addresses into names that mean nothing without the server's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, address: str) -> str:
        """32 hex digits for an address. All unreadable addresses share one name."""
        # Keyed BLAKE2 never lets go of the interpreter, which under load costs more than the hash.
        return blake2b(_network(address), key=self._key, digest_size=16).hexdigest()


def _network(address: str) -> bytes:
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return _UNREADABLE
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped.packed
        return IPv6Network((found, 64), strict=False).network_address.packed[:8]
    return found.packed
