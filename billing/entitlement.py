"""Who may be online, and how. One pure function decides; no other code does.

Money always wins: whoever is paid for is let in, whatever else is written. The other way round nobody loses his line
by time alone: an expiry only makes a cut *due*; the cycle, which can be held back (``billing.services.safety``), makes
it, and says so in the subscription's state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Level(StrEnum):
    """From everything to nothing."""

    FULL = "full"
    THROTTLED = "throttled"
    WALLED = "walled"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why. All but the last three let one in."""

    PAID = "paid"
    GRACE = "grace"
    HELD = "held"  # a person keeps the customer online for now
    QUIET = "quiet"  # run out, but nobody is cut at this hour or on this day
    DUE = "due"  # run out, and the cut not made yet
    UNPAID = "unpaid"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody is cut: whole local weekdays (Monday = 0, six at most), and from hour to hour (0 to 23) of every day.

    ``from_hour`` may be later than ``until_hour``: the quiet then lasts over midnight. Equal hours mean none.
    """

    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset()
    from_hour: int = 0
    until_hour: int = 0

    def end_after(self, at: datetime) -> datetime:
        """The first instant, not before ``at``, at which cutting is allowed; ``at`` itself outside the quiet."""
        moment = at
        for _ in range(16):  # a week of quiet days with a quiet night between each
            following = self._end_of_quiet(moment)
            if following is None:
                return moment
            moment = following
        return moment

    def _end_of_quiet(self, at: datetime) -> datetime | None:
        local = at.astimezone(self.zone)
        if local.weekday() in self.weekdays:
            return self._at(local, days=1, hour=0)
        begin, end = self.from_hour, self.until_hour
        if begin < end and begin <= local.hour < end:
            return self._at(local, days=0, hour=end)
        if begin > end and local.hour >= begin:
            return self._at(local, days=1, hour=end)
        if begin > end and local.hour < end:
            return self._at(local, days=0, hour=end)
        return None

    def _at(self, local: datetime, *, days: int, hour: int) -> datetime:
        """A full hour of the local calendar, as an instant that is surely later than ``local``."""
        day = local.date() + timedelta(days=days)
        found = datetime.combine(day, time(hour), tzinfo=self.zone).astimezone(UTC)
        return found if found > local else local.astimezone(UTC) + timedelta(hours=1)


NO_QUIET = QuietHours(ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides: the subscription's facts and its tenant's policy. ``expires_at`` None = never paid for.

    ``is_suspended``: the cut was made. ``held_until``: a person keeps the line until then.
    """

    expires_at: datetime | None
    is_ended: bool
    suspension: Level  # WALLED or BLOCKED
    grace: timedelta
    is_suspended: bool = False
    held_until: datetime | None = None
    quiet: QuietHours = field(default=NO_QUIET)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a subscription allows, why, and until when by time alone (None: until something happens)."""

    level: Level
    reason: Reason
    until: datetime | None


def cut_at(terms: Terms) -> datetime | None:
    """The instant from which the line may be cut; None for one that is not running out."""
    if terms.is_ended or terms.expires_at is None:
        return None
    earliest = terms.expires_at + terms.grace
    if terms.held_until is not None:
        earliest = max(earliest, terms.held_until)
    return terms.quiet.end_after(earliest)


def entitlement(terms: Terms, at: datetime) -> Entitlement:
    """What ``terms`` allow at the instant ``at``. An expiry is the first instant that is no longer paid for."""
    if terms.is_ended:
        return Entitlement(Level.BLOCKED, Reason.ENDED, None)
    if terms.expires_at is None:
        return Entitlement(terms.suspension, Reason.UNPAID, None)
    if at < terms.expires_at:
        return Entitlement(Level.FULL, Reason.PAID, terms.expires_at)
    if terms.is_suspended:
        return Entitlement(terms.suspension, Reason.EXPIRED, None)
    if at < terms.expires_at + terms.grace:
        return Entitlement(Level.FULL, Reason.GRACE, terms.expires_at + terms.grace)
    if terms.held_until is not None and at < terms.held_until:
        return Entitlement(Level.FULL, Reason.HELD, terms.held_until)
    cut = cut_at(terms)
    if cut is not None and at < cut:
        return Entitlement(Level.FULL, Reason.QUIET, cut)
    return Entitlement(Level.FULL, Reason.DUE, None)
