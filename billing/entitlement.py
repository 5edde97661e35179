"""Who may be online, and how. One pure function decides; no other code does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Level(StrEnum):
    """From everything to nothing."""

    FULL = "full"
    THROTTLED = "throttled"
    WALLED = "walled"
    BLOCKED = "blocked"


class Reason(StrEnum):
    PAID = "paid"
    GRACE = "grace"
    UNPAID = "unpaid"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides: the subscription's facts and its tenant's policy. ``expires_at`` None = never paid for."""

    expires_at: datetime | None
    is_ended: bool
    suspension: Level  # WALLED or BLOCKED
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a subscription allows, why, and until when by time alone (None: until something happens)."""

    level: Level
    reason: Reason
    until: datetime | None


def entitlement(terms: Terms, at: datetime) -> Entitlement:
    """What ``terms`` allow at the instant ``at``. An expiry is the first instant that is no longer paid for."""
    if terms.is_ended:
        return Entitlement(Level.BLOCKED, Reason.ENDED, None)
    if terms.expires_at is None:
        return Entitlement(terms.suspension, Reason.UNPAID, None)
    if at < terms.expires_at:
        return Entitlement(Level.FULL, Reason.PAID, terms.expires_at)
    if at < terms.expires_at + terms.grace:
        return Entitlement(Level.FULL, Reason.GRACE, terms.expires_at + terms.grace)
    return Entitlement(terms.suspension, Reason.EXPIRED, None)
