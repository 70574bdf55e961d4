"""Makes or upgrades what must be on the disk: tables, keys, the first rules. Serves nothing.

Run by the command line, in a process of its own where a server follows: the tools that change
tables cost ten megabytes that no serving process needs.
"""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from api.accounts.schema.prepare import prepare as prepare_desk
from api.accounts.server_key import open_server_key
from api.boundary_versions import FOLDER, keep_map
from api.settings import Settings
from api.wiring import (
    FOUNDER,
    desk_url,
    keys_path,
    log_environment,
    master_path,
    new_id,
    now,
    open_ledgers,
)
from casework import key_file, seeds
from casework.application import BOUNDARIES, CALENDAR, CATALOGUE, Casework
from casework.log.schema import prepare_postgres, prepare_sqlite
from casework.reference import AdoptBoundaries, found_boundaries
from geo.boundaries import Boundaries
from projections.place_code_scans import PlaceCodeScans
from projections.process import ErasureAcknowledgements, Process

FOUNDED = datetime(2024, 1, 1, tzinfo=UTC)
"""From when the first rules hold: the first calendar year that is shipped."""

_FOUNDING = UUID("a1c9c2de-4f1b-5d7e-8a51-51a0b7c4d3e2")


def prepare(settings: Settings) -> None:
    """Make or upgrade everything on the disk; found the reference streams if they are empty.

    Safe to run again. Run by the command line, never by a serving process.
    """
    settings.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.database:
        prepare_postgres(settings.database, new_id(), settings.log_role or None)
    else:
        prepare_sqlite(settings.var / "log.db", new_id())
    prepare_desk(desk_url(settings))
    master = master_path(settings)
    if not master.exists():
        key_file.create_master_key(master)
    key_file.prepare(keys_path(settings), key_file.read_master_key(master))
    open_server_key(settings.var / "server.key")
    ledgers = open_ledgers(settings)
    Process(
        ledgers, ErasureAcknowledgements(UUID(int=0), lambda: False, lambda _p, _n: None)
    ).prepare()
    PlaceCodeScans(ledgers).prepare()
    ledgers.dispose()
    casework = Casework(log_environment(settings))
    try:
        _found(casework, settings)
    finally:
        casework.close()


def _found(casework: Casework, settings: Settings) -> None:
    """The first contents of catalogue, calendar and boundaries, from the shipped data."""
    at = now()
    head = casework.refresh(at).head
    if not head.catalogue:
        events = seeds.catalogue_events(settings.reference / "indicators", FOUNDED)
        casework.record_reference(
            CATALOGUE, 0, events, at=at, by=FOUNDER, command_id=uuid5(_FOUNDING, "catalogue")
        )
    if not head.calendar:
        years = seeds.calendar_events(settings.reference / "calendar", FOUNDED)
        casework.record_reference(
            CALENDAR, 0, years, at=at, by=FOUNDER, command_id=uuid5(_FOUNDING, "calendar")
        )
    if not head.boundaries:
        adopted = found_boundaries(
            AdoptBoundaries(
                effective_from=FOUNDED,
                sha256=keep_map(Boundaries.read(_first_map(settings)), settings.var / FOLDER),
                source="随程序提供的概化边界图",
                accuracy_note="各段精度见边界文件；精度以内的点由人工确认",
            )
        )
        casework.record_reference(
            BOUNDARIES, 0, adopted, at=at, by=FOUNDER, command_id=uuid5(_FOUNDING, "boundaries")
        )


def _first_map(settings: Settings) -> Path:
    return settings.boundaries or settings.reference / "street_boundaries"


if __name__ == "__main__":
    prepare(Settings())
