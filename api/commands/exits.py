"""How a command ends: exit codes, and the refusal that carries one. Prints nothing itself."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `casework`. A wrong option ends with 2, as everywhere."""

    DONE = 0
    FOUND_WRONG = 1
    """What was looked at is not in order (verify, boundaries check)."""
    NOT_POSSIBLE = 3
    """What was asked cannot be done now; nothing was changed."""
    BAD_INPUT = 4
    """What was read from a file, a setting or standard input cannot be used."""


class Refused(Exception):  # noqa: N818  the end of a command, not a fault of the program
    """A command that ends with a sentence in Chinese and an exit code."""

    def __init__(self, sentence: str, code: Exit = Exit.NOT_POSSIBLE) -> None:
        super().__init__(sentence)
        self.code = code
