"""Sealed words as the views read them: opened by the sealer, or known to be gone."""

from uuid import UUID

from casework.keys import UnknownKey
from casework.model import Sealed
from casework.sealing import NotAsSealed, Sealer
from projections.lines import Unopenable


class OpenedTexts:
    """See `projections.lines.Texts`."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
        """The words, or None where their key was destroyed. Raises Unopenable."""
        try:
            return self._sealer.open(sealed, case_id, field, command_id)
        except (NotAsSealed, UnknownKey) as fault:
            raise Unopenable(str(fault)) from fault
