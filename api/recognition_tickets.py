"""What a reporter was shown, signed, so that their report may carry it without our keeping it.

A ticket holds codes, confidences and models, never words; it is good for a day, as an upload is.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from casework.errors import Missing
from casework.model import Proposed, Recognition, SpokenModel
from recognition.model import Recognised

GOOD_FOR = timedelta(hours=24)
LONGEST = 1500
"""Characters of a ticket: three codes and a handful of models are some hundred."""

_SIGNATURE = 16


class _Content(msgspec.Struct, array_like=True):
    at: float
    shown: Recognition


class Tickets:
    """Makes tickets and reads them again, with a key of their own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, answer: Recognised, at: datetime) -> str:
        """The ticket of an answer given at `at`."""
        shown = Recognition(
            proposals=tuple(Proposed(p.indicator, p.confidence) for p in answer.proposals),
            models=tuple(SpokenModel(m.name, m.version) for m in answer.models),
            out_of_scope=answer.out_of_scope.confidence,
            warned=answer.out_of_scope.flagged,
            preselected=answer.preselected is not None,
        )
        content = msgspec.msgpack.encode(_Content(at.timestamp(), shown))
        signed = hmac.digest(self._key, content, sha256)[:_SIGNATURE] + content
        return urlsafe_b64encode(signed).decode().rstrip("=")

    def read(self, ticket: str | None, at: datetime) -> Recognition | None:
        """What was shown; None without a ticket, or with one that is too old.

        A report written yesterday loses nothing but a figure of ours. Raises Missing for a ticket
        that we did not make.
        """
        if ticket is None:
            return None
        try:
            signed = urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
        except ValueError:
            signed = b""
        signature, content = signed[:_SIGNATURE], signed[_SIGNATURE:]
        if not hmac.compare_digest(signature, hmac.digest(self._key, content, sha256)[:_SIGNATURE]):
            raise Missing("recognition", "类别推荐的凭据不正确，请去掉 recognition 后再提交。")
        found = msgspec.msgpack.decode(content, type=_Content)
        age = at - datetime.fromtimestamp(found.at, UTC)
        return found.shown if age <= GOOD_FOR else None
