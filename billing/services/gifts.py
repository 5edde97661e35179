"""Days given for nothing: no money moves, so no invoice is written; the audit says who gave them and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.entitlement import entitlement
from billing.events import SubscriptionChanged
from billing.models import Subscription
from billing.selectors import rules_current, terms_of
from customers.services import customer_locked
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.events import emit
from ispbilling.kernel.states import state_move

MOST_DAYS = 90
State = Subscription.State


@transaction.atomic
def days_give(*, customer_id: UUID, days: int, reason: str, actor: str) -> Subscription:
    """Carry a customer's latest subscription on by some days: after what is paid for, or from now on when that is over.

    Later periods are counted from the new end. Raises NotFound, DomainError ``gift.days``, ``gift.reason``, Conflict
    ``gift.none`` for a customer without a subscription that could be carried on.
    """
    if not 1 <= days <= MOST_DAYS:
        raise DomainError("gift.days", _("From 1 to 90 days can be given."), fields={"days": [_("From 1 to 90.")]})
    if not reason.strip():
        raise DomainError("gift.reason", _("Say why."), fields={"reason": [_("Please fill this in.")]})
    subscription, at = _latest_locked(customer_id), clock.now()
    if subscription is None or subscription.stopped_at is not None:
        raise Conflict("gift.none", _("There is no line of his that could be carried on."))
    begins = max(subscription.expires_at or at, at)
    return _ends_at(subscription, begins + timedelta(days=days), reason=reason, actor=actor, verb="subscription.gift")


@transaction.atomic
def days_take(*, subscription_id: UUID, customer_id: UUID, given_until: datetime, old: str | None, actor: str) -> None:
    """Take a gift back: the end is again what it was (``old``, ISO), or now for what had run out.

    Raises NotFound, Conflict ``gift.used`` when the end was moved since, as by a payment.
    """
    subscription, at = _latest_locked(customer_id), clock.now()
    if subscription is None or subscription.id != subscription_id or subscription.expires_at != given_until:
        raise Conflict("gift.used", _("The end was moved since: what was given is part of what was paid for."))
    before = datetime.fromisoformat(old) if old else at
    _ends_at(subscription, before, reason="", actor=actor, verb="subscription.gift_undo")


def _latest_locked(customer_id: UUID) -> Subscription | None:
    customer_locked(customer_id)
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True).select_related("package")
    found: Subscription | None = (
        rows.filter(customer_id=customer_id).exclude(state=State.ENDED).order_by("-created_at", "-id").first()
    )
    return found


def _ends_at(subscription: Subscription, end: datetime, *, reason: str, actor: str, verb: str) -> Subscription:
    """A new end, from which later periods are counted: an anchor of its own, with nothing bought since."""
    at, old = clock.now(), subscription.expires_at
    subscription.anchor_at, subscription.periods, subscription.expires_at = end, 0, end
    if end > at and subscription.state != State.ACTIVE:
        changes: dict[str, Any] = {name: getattr(subscription, name) for name in ("anchor_at", "periods", "expires_at")}
        state_move(subscription, to=State.ACTIVE, by=actor, reason=reason, changes={**changes, "next_change_at": end})
    else:
        # What has run out by this is due: time itself, and all that may hold it back, makes of it what it must.
        subscription.next_change_at = entitlement(terms_of(subscription, rules_current()), at).until or at
        subscription.save(update_fields=["anchor_at", "periods", "expires_at", "next_change_at"])
    audit.record(
        actor=actor, verb=verb, row=subscription, old={"expires_at": old}, new={"expires_at": end}, reason=reason
    )
    emit(
        SubscriptionChanged(subscription_id=subscription.id, customer_id=subscription.customer_id),
        key=f"customer:{subscription.customer_id}",
    )
    return subscription
