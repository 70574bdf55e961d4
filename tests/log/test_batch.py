"""A batch is answered as if its commands had come one by one."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from casework.log.batch import Addition, Command, Entry, Head, plan
from casework.log.chain import Link, broken_link
from casework.log.port import Appended, DuplicateCommand, Outcome, StreamReadOnly, VersionConflict

STREAMS = [UUID(int=number) for number in range(1, 4)]
KEYS = [UUID(int=number) for number in range(101, 107)]
FOREIGN = {STREAMS[2]: "foreseen"}


class Store:
    """The smallest honest log: rows in a list, one command at a time, no look-ahead."""

    def __init__(self) -> None:
        self.rows: list[tuple[UUID, int, UUID, bytes]] = []
        self.links: dict[UUID, list[Link]] = {}
        self.done: dict[UUID, DuplicateCommand] = {}

    def version(self, stream: UUID) -> int:
        return sum(1 for row in self.rows if row[0] == stream)

    def expected(self, command: Command) -> str:
        """What should come of a command, in one word, without storing anything."""
        if command.command_id in self.done:
            return "DuplicateCommand"
        moved: dict[UUID, int] = {}
        for addition in command.additions:
            if addition.stream in FOREIGN:
                return "StreamReadOnly"
            version = moved.get(addition.stream, self.version(addition.stream))
            if addition.expected_version not in (None, version):
                return "VersionConflict"
            moved[addition.stream] = version + len(addition.entries)
        return "Appended"

    def run(self, commands: list[Command]) -> list[Outcome]:
        """One batch through the planner, stored."""
        heads = {
            stream: Head(links[-1].version, links[-1].hash, links[-1].at)
            for stream, links in self.links.items()
        }
        made = plan(commands, dict(self.done), heads, FOREIGN)
        positions = [0] * len(made.rows)
        for index in made.in_order():
            row = made.rows[index]
            self.rows.append((row.stream, row.version, row.command_id, row.state))
            positions[index] = len(self.rows)
            self.links.setdefault(row.stream, []).append(
                Link(row.version, row.name, row.actor, row.at, row.command_id, row.state, row.hash)
            )
        outcomes = made.outcomes(positions, commands)
        for command, outcome in zip(commands, outcomes, strict=True):
            if isinstance(outcome, Appended):
                self.done[command.command_id] = DuplicateCommand(outcome, command.fingerprint)
        return outcomes


additions = st.builds(
    Addition,
    st.sampled_from(STREAMS),
    st.none() | st.integers(0, 4),
    st.lists(st.builds(Entry, st.just("noted"), st.binary(max_size=3)), min_size=1, max_size=2).map(
        tuple
    ),
    st.integers(0, 3),
)
commands = st.builds(
    Command,
    st.sampled_from(KEYS),
    st.just(b"{}"),
    st.lists(additions, min_size=1, max_size=2).map(tuple),
    st.none() | st.binary(min_size=1, max_size=2),
    st.just(frozenset({"noted"})),
)


@given(st.lists(st.lists(commands, max_size=6), max_size=4))
def test_a_batch_is_answered_as_if_its_commands_had_come_one_by_one(
    batches: list[list[Command]],
) -> None:
    together, apart = Store(), Store()
    for batch in batches:
        outcomes = together.run(batch)
        for command, outcome in zip(batch, outcomes, strict=True):
            assert type(outcome).__name__ == apart.expected(command)
            (alone,) = apart.run([command])
            match outcome:
                case Appended():
                    assert isinstance(alone, Appended)
                    assert (outcome.versions, outcome.hashes) == (alone.versions, alone.hashes)
                    assert all(
                        together.rows[position - 1][2] == command.command_id
                        for position in outcome.positions
                    )
                case DuplicateCommand():
                    assert isinstance(alone, DuplicateCommand)
                    assert outcome.fingerprint == alone.fingerprint
                    assert outcome.earlier.hashes == alone.earlier.hashes
                case VersionConflict() | StreamReadOnly():
                    assert outcome == alone
    assert together.links == apart.links
    for stream, links in together.links.items():
        assert broken_link(stream, links) is None
        assert [link.at for link in links] == sorted(link.at for link in links)
