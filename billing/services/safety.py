"""What holds a cut back: the brake, a clock or a gateway that cannot be trusted, a person's word for one customer.

A stop keeps every line of the tenant. The brake and a clock that jumped wait for a person; a clock that is not set yet
and a gateway that is silent end by themselves, and a person may let go earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from billing.entitlement import cut_at
from billing.events import CutsStopped, SubscriptionChanged
from billing.models import CutStop, Subscription
from billing.selectors import Rules, rules_current, terms_of
from customers.services import customer_locked
from ispbilling.kernel import audit, clock, clockwatch, live
from ispbilling.kernel.clockwatch import State as ClockState
from ispbilling.kernel.clockwatch import Verdict
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.events import emit, emit_many
from ispbilling.kernel.sets import rows_update
from ispbilling.kernel.states import state_move_many
from payments.selectors import gateways_silent

Cause = CutStop.Cause
ENDS_BY_ITSELF = frozenset({Cause.TIME, Cause.GATEWAY})
BY_ITSELF = "system:cycle"
#: How long a machine may take to find the time, and how long a gateway is asked in vain, before staff are told.
TIME_PATIENCE = timedelta(minutes=10)
SILENCE_PATIENCE = timedelta(minutes=5)

#: Cuts of so long ago count together with those that are due: what falls due minute by minute brakes as well.
BRAKE_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nobody may be cut now. ``is_lasting``: long enough to stop and to tell staff, instead of just waiting."""

    cause: str
    detail: str
    is_lasting: bool


def cuts_allowed(*, rules: Rules, at: datetime, seen: Verdict) -> bool:
    """Whether cutting may go on now. Looked at before the first cut of a run; opens a stop where it may not.

    ``seen`` is the state of the machine's clock. Call outside a transaction.
    """
    with transaction.atomic():
        obstacles = [*_clock_obstacles(seen), *_silence_obstacles()]
        # Two runs at once cannot both pass for the first time.
        rules.policy.__class__.objects.select_for_update(no_key=True).filter(id=rules.policy.id).first()
        is_free = _stops_settle(obstacles, at)
        return is_free and not obstacles and _brake_holds_off(rules, at)


def clock_stop(*, seen: Verdict) -> None:
    """The clock may not be taken at its word: open the stop that a person must release, if it is of that kind."""
    with transaction.atomic():
        _stops_settle(_clock_obstacles(seen), clock.now())


def _clock_obstacles(seen: Verdict) -> list[Obstacle]:
    if seen.state is ClockState.RIGHT:
        return []
    if seen.state is ClockState.JUMPED:
        ahead = str(timedelta(seconds=round(seen.off.total_seconds())))
        return [Obstacle(Cause.CLOCK, f"+{ahead}", True)]
    return [Obstacle(Cause.TIME, seen.state, seen.lasted >= TIME_PATIENCE)]


def _silence_obstacles() -> list[Obstacle]:
    """Gateways that used to speak. A silence a person has released stands in nobody's way while it lasts."""
    silent = gateways_silent()
    if not silent:
        return []
    now = clock.machine_now()
    released = CutStop.objects.filter(cause=Cause.GATEWAY, released_at__gt=clock.now() - timedelta(days=7))
    words = released.exclude(released_by=BY_ITSELF).order_by("-released_at").values_list("released_at", flat=True)
    word = words.first()
    waiting = [one for one in silent if word is None or one.heard_at + clock.offset() > word]
    if not waiting:
        return []
    is_lasting = any(one.since is not None and now - one.since >= SILENCE_PATIENCE for one in waiting)
    return [Obstacle(Cause.GATEWAY, ", ".join(one.label for one in waiting)[:120], is_lasting)]


def _stops_settle(obstacles: Sequence[Obstacle], at: datetime) -> bool:
    """Open the stops that are called for, close those whose cause is over. True when none is open afterwards."""
    there = {obstacle.cause for obstacle in obstacles}
    is_open = False
    standing = set()
    for stop in CutStop.objects.filter(released_at=None).select_for_update(no_key=True).order_by("id"):
        if stop.cause in ENDS_BY_ITSELF and stop.cause not in there:
            stop.released_at, stop.released_by = at, BY_ITSELF
            stop.save(update_fields=["released_at", "released_by"])
            audit.record(actor=BY_ITSELF, verb="cuts.release", row=stop, new={"cause": stop.cause})
            live.say("cuts", "alerts")
        else:
            is_open = True
            standing.add(stop.cause)
    for obstacle in obstacles:
        if obstacle.is_lasting and obstacle.cause not in standing:
            _stop(obstacle.cause, at, detail=obstacle.detail)
            is_open = True
    return not is_open


def _brake_holds_off(rules: Rules, at: datetime) -> bool:
    due, active = _figures(rules, at)
    limit = rules.policy.brake_share_percent
    if due <= rules.policy.brake_minimum or due * 100 <= limit * active:
        return True
    _stop(Cause.BRAKE, at, would_cut=due, of_active=active)
    return False


def _stop(cause: str, at: datetime, *, detail: str = "", would_cut: int = 0, of_active: int = 0) -> None:
    stop: CutStop = CutStop.objects.create(
        cause=cause, detail=detail, would_cut=would_cut, of_active=of_active, opened_at=at
    )
    told = {"cause": cause, "detail": detail, "would_cut": would_cut, "of_active": of_active}
    audit.record(actor="system:cycle", verb="cuts.stop", row=stop, new=told)
    emit(CutsStopped(stop_id=stop.id, cause=cause, detail=detail, would_cut=would_cut, of_active=of_active), key="cuts")
    live.say("cuts", "alerts")


def _figures(rules: Rules, at: datetime) -> tuple[int, int]:
    """(due now or cut within the window, active customers before those cuts), leaving out what a person released."""
    released = CutStop.objects.exclude(released_at=None).filter(cause=Cause.BRAKE).order_by("-released_at").first()
    since = at - BRAKE_WINDOW
    running = [Subscription.State.ACTIVE, Subscription.State.GRACE]
    rows = Subscription.objects.filter(next_change_at__lte=at, state__in=running)
    cuts = [cut for row in rows.iterator() if (cut := cut_at(terms_of(row, rules))) is not None and cut <= at]
    if released is not None and released.released_at is not None:
        since = max(since, released.released_at)
        cuts = [cut for cut in cuts if cut > released.released_at]
    found = Subscription.objects.aggregate(
        running=Count("id", filter=Q(state__in=running)),
        lately=Count("id", filter=Q(state=Subscription.State.SUSPENDED, suspended_at__gt=since)),
    )
    return len(cuts) + found["lately"], found["running"] + found["lately"]


@transaction.atomic
def cuts_release(*, stop_id: UUID, actor: str) -> CutStop:
    """Let a stopped run go on: everything due up to now is cut by the next run. Raises NotFound, Conflict.

    Where the clock was the cause, the word says that it is right as it is now.
    """
    stop: CutStop | None = CutStop.objects.select_for_update(no_key=True).filter(id=stop_id).first()
    if stop is None:
        raise NotFound("stop.unknown", "There is no such stop.")
    if stop.released_at is not None:
        raise Conflict("stop.released", "This stop has been released already.")
    stop.released_at, stop.released_by = clock.now(), actor
    stop.save(update_fields=["released_at", "released_by"])
    if stop.cause in (Cause.CLOCK, Cause.TIME):
        clockwatch.accept()
    audit.record(actor=actor, verb="cuts.release", row=stop, new={"cause": stop.cause, "would_cut": stop.would_cut})
    live.say("cuts", "alerts")
    return stop


@transaction.atomic
def customer_hold(*, customer_id: UUID, until: datetime | None, reason: str, actor: str) -> list[Subscription]:
    """Keep a customer's lines until an instant, paid or not, and give back what was cut; None ends it.

    Raises NotFound, DomainError ``hold.until`` for an instant that is past or more than 90 days away, Conflict
    ``hold.none``.
    """
    customer = customer_locked(customer_id)
    at, rules = clock.now(), rules_current()
    if until is not None and not at < until <= at + timedelta(days=90):
        raise DomainError(
            "hold.until", "A hold ends in the future, within 90 days.", fields={"until": ["Please choose another day."]}
        )
    rows = list(
        Subscription.objects.select_for_update(no_key=True)
        .filter(customer_id=customer_id)
        .exclude(state=Subscription.State.ENDED)
        .order_by("id")
    )
    old = {str(row.id): row.held_until for row in rows}
    if until is None and not any(old.values()):
        raise Conflict("hold.none", "There is no hold to end.")
    for row in rows:
        row.held_until, row.hold_reason = until, reason[:160] if until else ""
        cut = cut_at(terms_of(row, rules))
        if row.state == Subscription.State.GRACE and cut is not None:
            row.next_change_at = max(cut, at)
    rows_update(rows, ["held_until", "hold_reason", "next_change_at"])
    if until is not None:
        _give_back([row for row in rows if row.state == Subscription.State.SUSPENDED], rules, actor, reason)
    audit.record(actor=actor, verb="customer.hold", row=customer, old=old, new={"until": until}, reason=reason)
    live.say("cuts", f"customer:{customer_id}")
    return rows


def _give_back(rows: list[Subscription], rules: Rules, actor: str, reason: str) -> None:
    """What was cut is let in again until its hold is over."""
    changes = [(row, {"next_change_at": cut_at(terms_of(row, rules))}) for row in rows]
    state_move_many(changes, to=Subscription.State.GRACE, by=actor, reason=reason)
    emit_many(
        (SubscriptionChanged(subscription_id=row.id, customer_id=row.customer_id), f"customer:{row.customer_id}")
        for row in rows
    )
