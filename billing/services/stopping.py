"""A deleted customer's subscriptions stand still, and go on where they were when he comes back."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from billing.events import SubscriptionChanged
from billing.models import Subscription
from billing.selectors import next_change_of, rules_current
from billing.services.receipts import wallet_use
from customers.services import customer_locked
from ispbilling.kernel import audit, clock
from ispbilling.kernel.events import emit_many

_RUNNING = (Subscription.State.ACTIVE, Subscription.State.GRACE)


@transaction.atomic
def subscriptions_stop(*, customer_id: UUID, actor: str) -> list[Subscription]:
    """Block every subscription of a customer, whatever is paid for. What is stopped already stays so."""
    at = clock.now()
    rows = [row for row in _locked(customer_id) if row.stopped_at is None]
    for row in rows:
        row.stopped_at, row.next_change_at = at, None  # time alone changes nothing of it any more
        row.save(update_fields=["stopped_at", "next_change_at"])
        audit.record(actor=actor, verb="subscription.stop", row=row, new={"stopped_at": at})
    _tell(rows)
    return rows


@transaction.atomic
def subscriptions_go_on(*, customer_id: UUID, actor: str) -> list[Subscription]:
    """Let stopped subscriptions be what they are paid to be. One that ran out meanwhile is due at once.

    What money waits in the wallet brings back what needs it, as if it came now.
    """
    at, rules = clock.now(), rules_current()
    rows = [row for row in _locked(customer_id) if row.stopped_at is not None]
    for row in rows:
        old, row.stopped_at = row.stopped_at, None
        row.next_change_at = next_change_of(row, rules, at) or (at if row.state in _RUNNING else None)
        row.save(update_fields=["stopped_at", "next_change_at"])
        audit.record(actor=actor, verb="subscription.go_on", row=row, old={"stopped_at": old})
    if rows:
        wallet_use(customer_id, rules=rules, at=at, by=actor)
    _tell(rows)
    return rows


@transaction.atomic
def package_speed_tell(*, package_id: UUID) -> None:
    """Whoever has this package is looked at afresh."""
    rows = Subscription.objects.filter(package_id=package_id).exclude(state=Subscription.State.ENDED).order_by("id")
    _tell(list(rows.only("id", "customer_id")))


def _locked(customer_id: UUID) -> list[Subscription]:
    customer_locked(customer_id)
    rows = Subscription.objects.select_for_update(no_key=True).filter(customer_id=customer_id)
    return list(rows.exclude(state=Subscription.State.ENDED).order_by("id"))


def _tell(rows: list[Subscription]) -> None:
    emit_many(
        (SubscriptionChanged(subscription_id=row.id, customer_id=row.customer_id), f"customer:{row.customer_id}")
        for row in rows
    )
