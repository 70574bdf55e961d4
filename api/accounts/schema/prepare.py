"""Brings desk.db to its newest form. The one place that makes its tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.schema import CreateSchema

from api.accounts.desk import Desk, Turn
from api.accounts.tables import SCHEMA


def prepare(url: str) -> None:
    """Run every step that is not run yet, in one transaction. Safe to call by two at once."""
    desk = Desk(url, connections=1)
    try:
        with desk.write(Turn.SCHEMA) as connection:
            if not desk.is_sqlite:
                connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
            steps = _steps()
            steps.attributes["connection"] = connection
            command.upgrade(steps, "head")
    finally:
        desk.close()


def is_current(desk: Desk) -> bool:
    """Whether the tables are those this code expects; a worker that finds False must not start."""
    with desk.read() as connection:
        schema = None if desk.is_sqlite else SCHEMA
        context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
        return (
            context.get_current_revision()
            == ScriptDirectory.from_config(_steps()).get_current_head()
        )


def _steps() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
