"""Expiries set by hand: days given, another end, an end for good. Each with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.calculations import extended_end
from billing.events import SubscriptionChanged
from billing.models import Subscription
from billing.selectors import Rules, next_change_of, rules_current
from billing.services.subscriptions import subscription_locked
from customers.services import customer_locked
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.events import emit
from ispbilling.kernel.states import state_move

MOST_DAYS = 366
#: How far from now an expiry may be set, either way.
REACH = timedelta(days=3660)
State = Subscription.State


@transaction.atomic
def days_give(*, customer_id: UUID, days: int, reason: str, actor: str) -> Subscription:
    """Give days to a customer: his latest subscription is extended.

    Raises NotFound, Conflict ``subscription.none`` for whoever has none that could be carried on, and what
    ``subscription_extend`` raises.
    """
    customer_locked(customer_id)
    rows = Subscription.objects.filter(customer_id=customer_id).exclude(state=State.ENDED)
    found = rows.order_by("-created_at", "-id").values_list("id", "stopped_at").first()
    if found is None or found[1] is not None:
        raise Conflict("subscription.none", _("There is no line of this customer that could be carried on."))
    return subscription_extend(subscription_id=found[0], days=days, reason=reason, actor=actor)


@transaction.atomic
def days_take(*, subscription_id: UUID, given_until: datetime, old: datetime | None, reason: str, actor: str) -> None:
    """Take given days back: the end is again what it was (``old``), or now for what had run out or never ran.

    Raises NotFound, DomainError ``reason.missing``, Conflict ``subscription.ended``, ``expiry.moved`` when the end was
    moved since, as by a payment: what was given is part of what was paid for then.
    """
    subscription = _locked(subscription_id, reason)
    if subscription.expires_at != given_until:
        raise Conflict("expiry.moved", _("The end was moved since: what was given is part of what was paid for."))
    at = clock.now()
    _move_end(subscription, old or at, rules_current(), at, reason, actor, verb="subscription.gift_undo")


@transaction.atomic
def subscription_extend(*, subscription_id: UUID, days: int, reason: str, actor: str) -> Subscription:
    """Give days of the local calendar, on top of what is left; a line that was cut comes back.

    They cost nothing and are worth nothing when the package changes. Raises NotFound, DomainError ``extend.days``,
    ``reason.missing``, Conflict ``subscription.ended``.
    """
    if not 1 <= days <= MOST_DAYS:
        raise DomainError("extend.days", f"From 1 to {MOST_DAYS} days.", fields={"days": ["Not so many."]})
    subscription = _locked(subscription_id, reason)
    at, rules = clock.now(), rules_current()
    end = extended_end(subscription.expires_at, days, at, rules.tenant.zone_info)
    _move_end(subscription, end, rules, at, reason, actor, verb="subscription.gift")
    return subscription


@transaction.atomic
def subscription_expiry_set(*, subscription_id: UUID, expires_at: datetime, reason: str, actor: str) -> Subscription:
    """Set the end of what is paid for. In the past: the line is cut by the next run, as whoever ran out.

    Raises NotFound, DomainError ``expiry.far``, ``reason.missing``, Conflict ``subscription.ended``,
    ``expiry.unpaid`` (what never ran cannot have run out).
    """
    subscription = _locked(subscription_id, reason)
    at, rules = clock.now(), rules_current()
    if not at - REACH <= expires_at <= at + REACH:
        raise DomainError("expiry.far", "That day is too far away.", fields={"expires_at": ["Choose a nearer day."]})
    if subscription.state == State.PENDING and expires_at <= at:
        raise Conflict("expiry.unpaid", "Nothing was paid yet, so nothing can have run out.")
    _move_end(subscription, expires_at, rules, at, reason, actor, verb="subscription.expiry")
    return subscription


@transaction.atomic
def subscription_end(*, subscription_id: UUID, reason: str, actor: str) -> Subscription:
    """End a subscription for good: its line is blocked, whatever is left of its time. Money is not given back by it.

    Raises NotFound, DomainError ``reason.missing``, Conflict ``subscription.ended``.
    """
    subscription = _locked(subscription_id, reason)
    changes = {"next_change_at": None, "next_package_id": None, "package_changes_at": None}
    state_move(subscription, to=State.ENDED, by=actor, reason=reason, changes=changes)
    _tell(subscription)
    return subscription


def _locked(subscription_id: UUID, reason: str) -> Subscription:
    if not reason.strip():
        raise DomainError("reason.missing", "Say why: it stays in the audit.", fields={"reason": ["Say why."]})
    customer_id = Subscription.objects.filter(id=subscription_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise NotFound("subscription.unknown", "There is no such subscription.")
    customer_locked(customer_id)
    subscription = subscription_locked(subscription_id)
    if subscription.state == State.ENDED:
        raise Conflict("subscription.ended", "This subscription has ended.")
    return subscription


def _move_end(
    subscription: Subscription, end: datetime, rules: Rules, at: datetime, reason: str, actor: str, *, verb: str
) -> None:
    """Periods bought later are counted from the new end. An ordered change of package keeps to what is paid for."""
    old, changes_at = subscription.expires_at, subscription.package_changes_at
    if changes_at is not None and (changes_at == old or changes_at > end):
        subscription.package_changes_at = end
    subscription.anchor_at, subscription.periods, subscription.expires_at = end, 0, end
    is_running = end > at
    wakes = is_running and subscription.state != State.ACTIVE
    changes: dict[str, Any] = {
        "anchor_at": end,
        "periods": 0,
        "expires_at": end,
        "package_changes_at": subscription.package_changes_at,
        "next_change_at": _next_change(subscription, rules, at, is_running=is_running),
    }
    if is_running:
        changes["extended_at"] = at
    if wakes:
        state_move(subscription, to=State.ACTIVE, by=actor, reason=reason, changes=changes)
    else:
        for column, value in changes.items():
            setattr(subscription, column, value)
        subscription.save(update_fields=list(changes))
    audit.record(
        actor=actor,
        verb=verb,
        row=subscription,
        old={"expires_at": old},
        new={"expires_at": end},
        reason=reason,
    )
    _tell(subscription)


def _next_change(subscription: Subscription, rules: Rules, at: datetime, *, is_running: bool) -> datetime | None:
    """What runs is looked at when it ends; what ran out and is not cut yet, at once."""
    if subscription.stopped_at is not None or (not is_running and subscription.state == State.SUSPENDED):
        return None
    return next_change_of(subscription, rules, at) or at


def _tell(subscription: Subscription) -> None:
    emit(
        SubscriptionChanged(subscription_id=subscription.id, customer_id=subscription.customer_id),
        key=f"customer:{subscription.customer_id}",
    )
