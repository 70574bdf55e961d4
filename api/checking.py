"""Compares the photos of a hand-over with all earlier ones. Decides nothing: findings advise.

Earlier pictures are those of any case, known by the views: the same file or the same pixels among
all of them, a copy (re-encoded, marked, cropped) among the newest `most` pictures, which are kept
in memory at 1.3 kB each. Pictures are compared by numbers; nobody's picture is shown to anybody.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from casework import events as did
from casework import evidence as told
from casework.application import Casework
from casework.evidence import Appearance, EvidenceExamined, Finding, PhotoChecked
from casework.sealing import Sealer
from evidence.examining import Facts, Measures
from evidence.likeness import Album, Likeness
from evidence.provenance import Circumstances, Earlier, Picture, Position, findings
from geo.coordinates import from_wgs84
from projections import evidence_seen
from projections.evidence import HANDED_OVER
from projections.evidence_seen import Cited
from projections.feed import Feed
from projections.tables import reading

FACTS = "facts"
"""The field under which what the camera wrote is sealed."""

CHECK_VERSION = 1
"""Goes up when a comparison would find something else in the same photos."""

_AT_ONCE = 2000
_ROOM = 1.25
"""How far the album may grow over its size before it is laid out anew with the newest only."""

_CAMERA_CRS = ("wgs84", "gcj02")
"""Phones sold here write either; in doubt for the photographer."""


class _Found(NamedTuple):
    """Another upload that may be the same picture, and where it was cited first."""

    hashes: evidence_seen.Hashes
    cited: Cited


class _Surroundings(NamedTuple):
    """What a hand-over is compared with.

    `drawn` is one of the demonstration: its pictures all look alike by their nature, so that only
    the very same one tells anything.
    """

    circumstances: Circumstances
    drawn: bool


class Checking:
    """Finds what speaks against a photo. Thread-safe; one comparison at a time."""

    def __init__(
        self, casework: Casework, sealer: Sealer, feed: Callable[[], Feed], most: int
    ) -> None:
        self._casework = casework
        self._sealer = sealer
        self._feed = feed
        self._most = most
        self._lock = threading.Lock()
        self._album: Album[UUID] = Album()
        self._seq = -1

    def forget(self) -> None:
        """Empty the album: somebody's pictures are to be forgotten. It fills again when asked."""
        with self._lock:
            self._album, self._seq = Album(), -1

    def check(self, examined: EvidenceExamined, at: Cited) -> PhotoChecked:
        """What speaks against this photo of the hand-over that cites it at `at.position`.

        Nothing where its person was erased meanwhile, and the picture with them.
        """
        looks = appearance(examined, self._sealer)
        found = () if looks is None else self._compared(examined, looks, at)
        return PhotoChecked(
            upload=examined.upload,
            person=examined.person,
            case=at.case_id,
            position=at.position,
            rectified_at=at.at,
            version=CHECK_VERSION,
            findings=tuple(found),
        )

    def _compared(
        self, examined: EvidenceExamined, looks: Appearance, at: Cited
    ) -> Iterator[Finding]:
        picture = Picture(
            content=looks.content,
            pixels=looks.pixels,
            likeness=Likeness(looks.phash, looks.dhash, looks.parts),
            measures=Measures(looks.brightness, looks.highlights, looks.sharpness),
            facts=self._facts(examined),
            source=at.source,
        )
        around = self._surroundings(at)
        with self._lock, reading(self._feed().readers.engine) as connection:
            earlier = self._earlier(connection, picture, examined.upload, around, at)
            numbers = evidence_seen.numbers_of(connection, {one.cited.case_id for one in earlier})
        by_key = {str(one.hashes.upload): one for one in earlier}
        compared = [_as_earlier(one, at, numbers) for one in earlier]
        for f in findings(picture, around.circumstances, compared):
            other = by_key.get(f.earlier or "")
            yield Finding(
                id=told.finding_id(
                    examined.upload, at.position, f.code, other.hashes.upload if other else None
                ),
                kind=f.code,
                severity=f.severity,
                says=f.sentence,
                other=other.hashes.upload if other else None,
                other_case=other.cited.case_id if other else None,
            )

    def _facts(self, examined: EvidenceExamined) -> Facts:
        """What the camera wrote; nothing where the key is destroyed."""
        if examined.facts is None:
            return Facts()
        command = told.examination_id(examined.upload, examined.version)
        content = self._sealer.open_bytes(examined.facts, examined.upload, FACTS, command)
        return Facts() if content is None else msgspec.json.decode(content, type=Facts)

    def _surroundings(self, at: Cited) -> _Surroundings:
        """Where the case was, and since when the 街镇 had it, at the moment of the hand-over."""
        dispatched_at: datetime | None = None
        place, drawn = None, False
        for recorded in self._casework.history(at.case_id):
            if recorded.position >= at.position:
                handed_over = recorded.event
                drawn = isinstance(handed_over, did.CaseRectified) and handed_over.demonstration
                break
            if isinstance(recorded.event, did.CaseDispatched | did.CaseReopened):
                dispatched_at = recorded.at
            if isinstance(recorded.event, did.ReportSubmitted | did.PlaceCorrected):
                place = recorded.event.place
        if place is None:
            return _Surroundings(Circumstances(dispatched_at), drawn)
        pins = [from_wgs84(place.lon, place.lat, crs) for crs in _CAMERA_CRS]
        places = tuple(Position(x, y) for x, y in pins)
        return _Surroundings(Circumstances(dispatched_at, places), drawn)

    def _earlier(
        self,
        connection: Connection,
        picture: Picture,
        upload: UUID,
        around: _Surroundings,
        at: Cited,
    ) -> Sequence[_Found]:
        """Other uploads that may be this picture, cited by a fact before this hand-over."""
        alike: set[UUID] = set()
        if not around.drawn:
            self._read_on(connection)
            alike = {key for key, _ in self._album.find(picture.likeness)}
        alike |= evidence_seen.same_bytes(connection, picture.content, picture.pixels)
        alike.discard(upload)
        hashes = evidence_seen.hashes_of(connection, alike)
        first: dict[UUID, Cited] = {}
        for cited in evidence_seen.citing(connection, hashes):
            if cited.position < at.position:
                first.setdefault(cited.upload, cited)
        return [_Found(hashes[key], cited) for key, cited in first.items()]

    def _read_on(self, connection: Connection) -> None:
        """Put into the album what was told since."""
        if len(self._album) > self._most * _ROOM:
            self._album, self._seq = Album(), -1
        if self._seq < 0:
            self._seq = evidence_seen.seq_before_newest(connection, self._most)
        for hashes in self._news(connection):
            self._album.add(hashes.upload, Likeness(hashes.phash, hashes.dhash, hashes.parts))
            self._seq = hashes.seq

    def _news(self, connection: Connection) -> Iterator[evidence_seen.Hashes]:
        while page := evidence_seen.hashes_after(connection, self._seq, _AT_ONCE):
            yield from page


def appearance(examined: EvidenceExamined, sealer: Sealer) -> Appearance | None:
    """What an examined picture looks like; None where its person's key is destroyed."""
    command = told.examination_id(examined.upload, examined.version)
    return told.appearance_of(examined, command, sealer.open)


def _as_earlier(one: _Found, at: Cited, numbers: dict[UUID, str]) -> Earlier:
    hashes, cited = one.hashes, one.cited
    kind = "整改照片" if cited.event == HANDED_OVER else "反映照片"
    if cited.case_id == at.case_id:
        whose = f"本案此前的{kind}" if cited.event == HANDED_OVER else f"本案的{kind}"
    else:
        number = numbers.get(cited.case_id, "")
        whose = f"另一案件{number}的{kind}"
    return Earlier(
        key=str(hashes.upload),
        words=whose,
        content=hashes.content,
        pixels=hashes.pixels,
        likeness=Likeness(hashes.phash, hashes.dhash, hashes.parts),
    )
