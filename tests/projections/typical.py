"""Made-up histories of typical cases: a case that is solved, and its entry in the issue of May."""

from datetime import timedelta
from uuid import UUID, uuid5

from msgspec.structs import replace

from casework import events as did
from casework import monthly_issue
from casework.log.port import Recorded, stream_id
from casework.model import Actor, ActorKind, Consents, Outcome, Photo, Role
from casework.monthly_issue import (
    CaseNominated,
    EntryApproved,
    EntryRedacted,
    EntryWithdrawn,
    IssuePublished,
    Picture,
    Shown,
)
from tests.projections.histories import (
    LIMIT,
    REVIEWER,
    SPACE,
    Scribe,
    Story,
    citizen,
    street_actor,
)

MAY = "2026-05"
EDITOR = Actor(ActorKind.STAFF, "编甲", roles=(Role.EDITOR,))
PICTURE = Picture(uuid5(SPACE, "upload"), "a1b2c3")
CAPTION = "盲道恢复畅通。"


def photo(name: str) -> Photo:
    return Photo(uuid5(SPACE, name), "ab" * 32, "image/jpeg", "camera")


class Typical(Story):
    """A case that may become a typical one, and its entry in the issue of May."""

    def reported(self, *, agreed: bool = True) -> Recorded:
        plain = self.submitted()
        event = plain.event
        assert isinstance(event, did.ReportSubmitted)
        consented = replace(
            event, consents=Consents(publication=agreed), photos=(photo(f"b {self.number}"),)
        )
        return replace(plain, event=consented)

    def handed_over(self) -> Recorded:
        event = did.CaseRectified(
            street=self.street,
            outcome=Outcome.RECTIFIED,
            photos=(photo(f"a {self.number}"),),
            words=self.words("已清理"),
        )
        return self.step(event, street_actor(self.street))

    def solved(self, *, agreed: bool = True) -> list[Recorded]:
        """Reported, handed over, closed and rated 5."""
        return [
            self.reported(agreed=agreed), self.registered(), self.dispatched(),
            self.handed_over(), self.closed(), self.rated(), self.completed(),
        ]  # fmt: skip

    def reopened(self) -> Recorded:
        return self.step(
            did.CaseReopened(
                code="V11",
                words=self.words("又堆了"),
                street=self.street,
                assignment=self.assignment(),
                limit=LIMIT,
                due_at=self.at + timedelta(hours=2),
                round=2,
            )
        )

    # the issue -----------------------------------------------------------------------

    def told(self, event: monthly_issue.Event) -> Recorded:
        self.at += timedelta(minutes=1)
        return self.scribe.record(stream_id(f"issue/{MAY}"), event, self.at, EDITOR)

    def entered(self, entry: int = 1) -> list[Recorded]:
        """Nominated, redacted, approved and published."""
        return [
            self.told(
                CaseNominated(
                    month=MAY, entry=entry, case=self.case_id, case_number=self.number,
                    persons=(self.person,), caption=CAPTION, nominated_by=REVIEWER.id,
                    before=(PICTURE.upload,),
                )
            ),
            self.told(
                EntryRedacted(
                    entry=entry, caption=CAPTION, redacted_by="编甲", before=(PICTURE,)
                )
            ),
            self.told(EntryApproved(entry=entry, approved_by="编乙")),
            self.public(entry),
        ]  # fmt: skip

    def public(self, entry: int = 1, number: int = 1) -> Recorded:
        shown = Shown(
            entry=entry, street=self.street, street_name="街", indicator=self.indicator,
            indicator_name="指标", outcome=Outcome.RECTIFIED, minutes=90, satisfaction=5,
            efficiency=4, raters=1, lon=116.3, lat=39.9, caption=CAPTION, before=(PICTURE,),
        )  # fmt: skip
        seen = self.scribe.position
        return self.told(
            IssuePublished(number=number, entries=(shown,), published_by="编甲", seen=seen)
        )

    def consent_withdrawn(self, person: UUID | None = None) -> Recorded:
        self.at += timedelta(minutes=1)
        who = person or self.person
        fact = did.PublicationConsentWithdrawn(case=self.case_id, person=who)
        return self.scribe.record(stream_id(f"consent/{self.case_id}"), fact, self.at, citizen(who))


def a_month(seed: int, scribe: Scribe | None = None) -> list[Recorded]:
    """Four entries of a month: shown, reopened, withdrawn with its consent, and of one erased."""
    scribe = scribe or Scribe()
    shown, reopened, withdrawn, erased = (
        Typical(scribe, f"{seed} {name}") for name in ("shown", "reopened", "withdrawn", "erased")
    )
    events: list[Recorded] = []
    for number, case in enumerate((shown, reopened, withdrawn, erased), 1):
        events += [*case.solved(), *case.entered(number)]
    events += [
        reopened.step(did.RecheckOpened()),
        reopened.reopened(),
        withdrawn.consent_withdrawn(),
        withdrawn.told(EntryWithdrawn(entry=3, code="W05", withdrawn_by="编甲")),
        scribe.erase(erased.person, erased.at),
    ]
    return events
