"""What holds a cut back: the brake, and a person's word for one customer or for all."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from billing.entitlement import cut_at
from billing.events import CutsStopped, SubscriptionChanged
from billing.models import CutStop, Subscription
from billing.selectors import Rules, rules_current, terms_of
from customers.services import customer_locked
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.events import emit, emit_many
from ispbilling.kernel.states import state_move_many

#: Cuts of so long ago count together with those that are due: what falls due minute by minute brakes as well.
BRAKE_WINDOW = timedelta(hours=1)


@transaction.atomic
def cuts_allowed(*, rules: Rules, at: datetime) -> bool:
    """Whether cutting may go on now. Looked at before the first cut of a run; opens a stop where it may not.

    Two runs at once cannot both pass for the first time: the tenant's policy row is locked while it is looked at.
    """
    rules.policy.__class__.objects.select_for_update(no_key=True).filter(id=rules.policy.id).first()
    if CutStop.objects.filter(released_at=None).exists():
        return False
    due, active = _figures(rules, at)
    limit = rules.policy.brake_share_percent
    if due <= rules.policy.brake_minimum or due * 100 <= limit * active:
        return True
    stop: CutStop = CutStop.objects.create(cause=CutStop.Cause.BRAKE, would_cut=due, of_active=active, opened_at=at)
    audit.record(actor="system:cycle", verb="cuts.stop", row=stop, new={"would_cut": due, "of_active": active})
    emit(CutsStopped(stop_id=stop.id, would_cut=due, of_active=active), key="cuts")
    return False


def _figures(rules: Rules, at: datetime) -> tuple[int, int]:
    """(due now or cut within the window, active customers before those cuts), leaving out what a person released."""
    released = CutStop.objects.exclude(released_at=None).order_by("-released_at").first()
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
    """Let a stopped run go on: everything due up to now is cut by the next run. Raises NotFound, Conflict."""
    stop: CutStop | None = CutStop.objects.select_for_update(no_key=True).filter(id=stop_id).first()
    if stop is None:
        raise NotFound("stop.unknown", "There is no such stop.")
    if stop.released_at is not None:
        raise Conflict("stop.released", "This stop has been released already.")
    stop.released_at, stop.released_by = clock.now(), actor
    stop.save(update_fields=["released_at", "released_by"])
    audit.record(actor=actor, verb="cuts.release", row=stop, new={"would_cut": stop.would_cut})
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
    Subscription.objects.bulk_update(rows, ["held_until", "hold_reason", "next_change_at"])
    if until is not None:
        _give_back([row for row in rows if row.state == Subscription.State.SUSPENDED], rules, actor, reason)
    audit.record(actor=actor, verb="customer.hold", row=customer, old=old, new={"until": until}, reason=reason)
    return rows


def _give_back(rows: list[Subscription], rules: Rules, actor: str, reason: str) -> None:
    """What was cut is let in again until its hold is over."""
    changes = [(row, {"next_change_at": cut_at(terms_of(row, rules))}) for row in rows]
    state_move_many(changes, to=Subscription.State.GRACE, by=actor, reason=reason)
    emit_many(
        (SubscriptionChanged(subscription_id=row.id, customer_id=row.customer_id), f"customer:{row.customer_id}")
        for row in rows
    )
