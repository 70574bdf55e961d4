"""One case as pages show it: read once for a request, told as the API tells it to this visitor.

Each desk's page of a case adds what is its own, from what was read here.
"""

from datetime import datetime

import msgspec

from api.clocks import ClockReadingOut, ExplainOut
from api.door import Door
from api.one_case import clocks_told, steps_told, with_photos
from api.pages.action_forms import ActionForm, forms_of
from api.pages.frame import Frame
from api.pictures import photos_shown
from api.routes.cases import look, sight
from api.routes.indicators import PLACE_NAMES
from api.schemas import CaseOut, Step
from api.shown import Seen, of_state
from casework.application import Loaded
from casework.log.port import Recorded
from casework.model import Actor, PlaceKind
from projections import case_list, evidence_seen


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its page shows it: what the API tells this visitor, and what may be done.

    Everything was read once; who shows more of the case takes it from here.
    """

    loaded: Loaded
    actor: Actor
    """Who looks."""
    history: tuple[Recorded, ...]
    case: CaseOut
    clocks: tuple[ClockReadingOut, ...]
    at: datetime
    """The moment at which the clocks stand like that."""
    steps: tuple[Step, ...]
    forms: tuple[ActionForm, ...]

    @property
    def place_name(self) -> str:
        return PLACE_NAMES[PlaceKind(self.case.place_kind)]

    def form(self, action: str) -> ActionForm | None:
        """The form of an action, if it may be taken now."""
        return next((form for form in self.forms if form.action == action), None)


async def shown_case(frame: Frame, reference: str) -> Shown:
    """All that the page of a case needs. Raises UnknownCase, also for another's case."""
    parts = frame.parts
    as_of = parts.feed.as_of().position
    loaded, actor = await sight(parts, frame.visitor, reference)
    case_id = loaded.case_id
    at = max(parts.now(), loaded.case.last_at)

    def read() -> tuple[tuple[Recorded, ...], ExplainOut | None]:
        history = tuple(parts.casework.history(case_id))
        return history, clocks_told(parts, loaded, actor, history, at)

    history, told = await Door(parts).in_thread(read)
    view, found, steps = await look(
        parts,
        lambda c: (
            case_list.one(c, case_id),
            evidence_seen.photos_of_case(c, case_id),
            steps_told(c, parts, case_id, actor),
        ),
    )
    photos = photos_shown(found, actor)
    case = of_state(parts, loaded, view, Seen(actor), as_of, photos)
    return Shown(
        loaded=loaded,
        actor=actor,
        history=history,
        case=case,
        clocks=told.clocks if told else (),
        at=at,
        steps=with_photos(steps, photos),
        forms=forms_of(parts, case),
    )
