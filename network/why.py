"""Why is this customer off, or on? A pure function over facts; its words are in ``network.wording``.

It never decides who may be online: that is billing's (``billing.entitlement``), and the answer carries it unchanged.
It tells what became of that decision on its way through events, router and the customer's own box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from billing.entitlement import Entitlement, Level, Reason

#: Levels under which the internet can be used.
LETTING_IN = frozenset({Level.FULL, Level.THROTTLED})


class Code(StrEnum):
    """The answer for programs."""

    # Entitled, and it works.
    ONLINE = "online"
    ONLINE_GRACE = "online_grace"
    ONLINE_HELD = "online_held"
    ONLINE_QUIET = "online_quiet"
    ONLINE_DUE = "online_due"
    ONLINE_CUTS_STOPPED = "online_cuts_stopped"
    # Entitled, the router lets him in, and he is not seen.
    NO_SESSION = "no_session"
    ROUTER_SILENT = "router_silent"
    # Entitled, and the router does not let him in (yet), or not as it was told to.
    ON_ITS_WAY = "on_its_way"
    EVENT_PARKED = "event_parked"
    ROUTER_DISABLED = "router_disabled"
    ROUTER_NEVER_REACHED = "router_never_reached"
    ROUTER_RESTING = "router_resting"
    ROUTER_AWAY = "router_away"
    WRITING = "writing"
    ROUTER_REFUSES = "router_refuses"
    FOREIGN_ROW = "foreign_row"
    DRIFT = "drift"
    # Not entitled.
    NEVER_PAID = "never_paid"
    UNPAID = "unpaid"
    ENDED = "ended"
    STILL_LET_IN = "still_let_in"
    # Nothing to be entitled to.
    NO_LINE = "no_line"


ONLINE = frozenset(code for code in Code if code.value.startswith("online"))
NOT_ENTITLED = frozenset({Code.NEVER_PAID, Code.UNPAID, Code.ENDED, Code.STILL_LET_IN, Code.NO_LINE})
#: What keeps a router from holding what is wished.
FAULTS = frozenset(
    {
        Code.ON_ITS_WAY,
        Code.EVENT_PARKED,
        Code.ROUTER_DISABLED,
        Code.ROUTER_NEVER_REACHED,
        Code.ROUTER_RESTING,
        Code.ROUTER_AWAY,
        Code.WRITING,
        Code.ROUTER_REFUSES,
        Code.FOREIGN_ROW,
        Code.DRIFT,
    }
)
_ONLINE_BY_REASON = {
    Reason.PAID: Code.ONLINE,
    Reason.GRACE: Code.ONLINE_GRACE,
    Reason.HELD: Code.ONLINE_HELD,
    Reason.QUIET: Code.ONLINE_QUIET,
    Reason.DUE: Code.ONLINE_DUE,
}
_OFF_BY_REASON = {Reason.UNPAID: Code.NEVER_PAID, Reason.EXPIRED: Code.UNPAID, Reason.ENDED: Code.ENDED}


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """A router as it was last met. ``is_up`` None: never reached. ``rests_until``: not tried before then."""

    name: str
    is_enabled: bool = True
    is_up: bool | None = True
    seen_at: datetime | None = None
    rests_until: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one line, at one instant. Every instant is product time.

    ``wished`` is what the router is to be told, ``applied`` what it was last seen to hold (None: never seen),
    ``trouble`` what came of the last try, in the router's words.
    """

    at: datetime
    entitlement: Entitlement
    router: RouterFacts
    wished: Level
    applied: Level | None = None
    is_converged: bool = False
    username: str = ""
    applied_at: datetime | None = None
    trouble: str = ""
    is_foreign: bool = False
    is_parked: bool = False  # an event of this customer failed for good and waits for a person
    online_since: datetime | None = None
    last_seen_at: datetime | None = None  # when the last session ended
    expired_at: datetime | None = None
    suspended_at: datetime | None = None
    held_by: str = ""
    hold_reason: str = ""
    stopped_at: datetime | None = None  # cutting is stopped for everybody since
    stop_cause: str = ""

    @property
    def is_entitled(self) -> bool:
        return self.entitlement.level in LETTING_IN

    @property
    def is_let_in(self) -> bool:
        """Whether the router was last seen to let him in."""
        return self.applied in LETTING_IN

    @property
    def is_seen_online(self) -> bool:
        """Whether an open session means what it says: a router that does not answer tells of no end either."""
        return self.online_since is not None and self.router.is_up is True


@dataclass(frozen=True, slots=True)
class Answer:
    """Why. ``cause`` says what holds the router up where ``code`` alone does not: see ``Code.STILL_LET_IN``."""

    code: Code
    facts: Facts | None
    is_online: bool
    cause: Code | None = None

    @property
    def is_entitled(self) -> bool:
        return self.facts is not None and self.facts.is_entitled

    @property
    def is_known(self) -> bool:
        """Whether anybody can say: a line that is let in by a router that does not answer may be online or not."""
        facts = self.facts
        return facts is None or not facts.is_let_in or facts.router.is_up is True

    @property
    def tone(self) -> str:
        """``ok``, ``warn`` or ``bad``: how soon somebody should do something."""
        if self.code in ONLINE:
            return "ok" if self.code is Code.ONLINE else "warn"
        if self.code in (Code.ON_ITS_WAY, Code.WRITING, Code.NO_SESSION, Code.NO_LINE):
            return "warn"
        return "bad"

    @property
    def urgency(self) -> int:
        """Which of several lines is spoken of: ours to mend first, then the customer's, then those in order."""
        if self.code in FAULTS or self.code in (Code.ROUTER_SILENT, Code.STILL_LET_IN):
            return 3
        if self.code in (Code.NEVER_PAID, Code.UNPAID, Code.NO_SESSION):
            return 2
        return 0 if self.code is Code.ENDED else 1


def why(facts: Facts) -> Answer:
    """The one answer for a line."""
    return _why_entitled(facts) if facts.is_entitled else _why_not_entitled(facts)


def _why_entitled(facts: Facts) -> Answer:
    is_online = facts.is_seen_online and facts.is_let_in
    if not facts.is_let_in or facts.trouble:
        return Answer(_fault(facts) or Code.WRITING, facts, is_online)
    if is_online:
        code = _ONLINE_BY_REASON[facts.entitlement.reason]
        if code is Code.ONLINE_DUE and facts.stopped_at is not None:
            code = Code.ONLINE_CUTS_STOPPED
        return Answer(code, facts, True)
    if facts.router.is_up is not True or not facts.router.is_enabled:
        return Answer(Code.ROUTER_SILENT, facts, False)
    return Answer(Code.NO_SESSION, facts, False)


def _why_not_entitled(facts: Facts) -> Answer:
    is_opened_by_hand = facts.entitlement.level == Level.BLOCKED and bool(facts.trouble) and facts.is_seen_online
    if facts.is_let_in or is_opened_by_hand:
        return Answer(Code.STILL_LET_IN, facts, facts.is_seen_online, _fault(facts) or Code.WRITING)
    return Answer(_OFF_BY_REASON[facts.entitlement.reason], facts, False)


def _fault(facts: Facts) -> Code | None:
    """What keeps the router from holding what the customer is entitled to; None when nothing does."""
    router = facts.router
    if facts.wished != facts.entitlement.level:
        return Code.EVENT_PARKED if facts.is_parked else Code.ON_ITS_WAY
    if facts.is_converged and not facts.trouble:
        return None
    if not router.is_enabled:
        return Code.ROUTER_DISABLED
    if router.is_up is None:
        return Code.ROUTER_NEVER_REACHED
    if not router.is_up:
        is_resting = router.rests_until is not None and router.rests_until > facts.at
        return Code.ROUTER_RESTING if is_resting else Code.ROUTER_AWAY
    if facts.is_foreign:
        return Code.FOREIGN_ROW
    if facts.is_converged:
        return Code.DRIFT
    return Code.ROUTER_REFUSES if facts.trouble else Code.WRITING


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """An answer with the line it is about. ``package`` is what the customer calls it."""

    answer: Answer
    username: str = ""
    package: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A customer with all his lines; ``spoken`` is the one whose answer is the customer's."""

    spoken: LineAnswer
    lines: Sequence[LineAnswer] = field(default=())

    @property
    def answer(self) -> Answer:
        return self.spoken.answer

    @property
    def living(self) -> list[LineAnswer]:
        """Without those that have ended, unless all have."""
        return [one for one in self.lines if one.answer.code is not Code.ENDED] or list(self.lines)


def whole(lines: Sequence[LineAnswer]) -> Whole:
    """The customer's answer: the most urgent of his lines', the first of several."""
    nothing = LineAnswer(Answer(Code.NO_LINE, None, False))
    return Whole(max(lines, key=lambda one: one.answer.urgency, default=nothing), lines)
