"""The tables that the steps make are those that the code expects."""

from pathlib import Path
from threading import Thread

from sqlalchemy import inspect, text

from api.accounts.desk import Desk
from api.accounts.schema.prepare import is_current, prepare
from api.accounts.tables import SCHEMA, metadata


def test_the_steps_lead_to_the_tables_of_the_code(desk: Desk) -> None:
    schema = None if desk.is_sqlite else SCHEMA
    with desk.read() as connection:
        there = inspect(connection)
        names = set(there.get_table_names(schema=schema))
        assert names == {table.name for table in metadata.sorted_tables} | {"alembic_version"}
        for table in metadata.sorted_tables:
            columns = there.get_columns(table.name, schema=schema)
            assert {column["name"]: column["nullable"] for column in columns} == {
                column.name: bool(column.nullable) for column in table.columns
            }
            primary = there.get_pk_constraint(table.name, schema=schema)["constrained_columns"]
            assert primary == [column.name for column in table.primary_key]
            indexes = there.get_indexes(table.name, schema=schema)
            uniques = there.get_unique_constraints(table.name, schema=schema)
            found = {tuple(one["column_names"]) for one in indexes}
            found |= {tuple(one["column_names"]) for one in uniques}
            wanted = {tuple(index.columns.keys()) for index in table.indexes}
            wanted |= {(column.name,) for column in table.columns if column.unique}
            assert found == wanted
            keys = there.get_foreign_keys(table.name, schema=schema)
            assert {tuple(key["constrained_columns"]) for key in keys} == {
                (key.parent.name,) for key in table.foreign_keys
            }


def test_running_the_steps_again_or_twice_at_once_changes_nothing(desk_url: str) -> None:
    runs = [Thread(target=prepare, args=(desk_url,)) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    desk = Desk(desk_url)
    assert is_current(desk)
    desk.close()


def test_a_database_without_its_tables_is_not_current(tmp_path: Path) -> None:
    desk = Desk(f"sqlite+pysqlite:///{tmp_path / 'empty.db'}")
    assert not is_current(desk)
    desk.close()


def test_sqlite_is_durable_and_keeps_its_references(tmp_path: Path) -> None:
    desk = Desk(f"sqlite+pysqlite:///{tmp_path / 'desk.db'}")
    with desk.read() as connection:
        asked = {
            pragma: connection.execute(text(f"PRAGMA {pragma}")).scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    desk.close()
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
