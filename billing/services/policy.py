"""A tenant's own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.events import SubscriptionChanged
from billing.models import BillingPolicy, RechargeOption, Subscription, SuspensionMode, TaxMode
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.events import emit_many

#: What a new tenant begins with: periods → per cent off.
RECHARGE_OPTIONS = {1: 0, 2: 0, 3: 5, 6: 10, 12: 15}


def _is_number(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _are_numbers(low: int, high: int, most: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and len(set(value)) == len(value) <= most and all(map(_is_number(low, high), value))
    )


#: Each rule and what it may be. Seven quiet weekdays would mean that nobody is ever cut.
_IS_GOOD: dict[str, Callable[[Any], bool]] = {
    "suspension_mode": lambda value: value in SuspensionMode.values,
    "grace_hours": _is_number(0, 24 * 60),
    "ends_at_midnight": lambda value: isinstance(value, bool),
    "tax_mode": lambda value: value in TaxMode.values,
    "tax_name": lambda value: isinstance(value, str) and 0 < len(value) <= 20,
    "tax_percent": lambda value: isinstance(value, Decimal) and 0 <= value < 100,
    "remind_days": _are_numbers(1, 60, 6),
    "quiet_weekdays": _are_numbers(0, 6, 6),
    "quiet_from_hour": _is_number(0, 23),
    "quiet_until_hour": _is_number(0, 23),
    "brake_share_percent": _is_number(0, 100),
    "brake_minimum": _is_number(0, 30_000),
}

#: Rules that say when a cut may be made.
_TIMES = {"grace_hours", "quiet_weekdays", "quiet_from_hour", "quiet_until_hour"}


@transaction.atomic
def recharge_options_create() -> list[RechargeOption]:
    """Give the current tenant the usual options. Options that exist stay as they are."""
    RechargeOption.objects.bulk_create(
        (
            RechargeOption(periods=periods, discount_percent=Decimal(percent))
            for periods, percent in RECHARGE_OPTIONS.items()
        ),
        ignore_conflicts=True,
    )
    return list(RechargeOption.objects.order_by("periods"))


@transaction.atomic
def recharge_options_set(*, percents: Mapping[int, Decimal], actor: str) -> list[RechargeOption]:
    """Offer exactly these lengths: periods → per cent off. Orders that wait keep the price they were shown.

    Raises DomainError ``options.invalid``.
    """
    if not percents or any(not 1 <= periods <= 120 or not 0 <= off <= 100 for periods, off in percents.items()):
        raise DomainError("options.invalid", "At least one length, of 1 to 120 periods, with 0 to 100 per cent off.")
    policy, _ = BillingPolicy.objects.select_for_update(no_key=True).get_or_create()
    old = {str(option.periods): option.discount_percent for option in RechargeOption.objects.order_by("periods")}
    new = {str(periods): off for periods, off in sorted(percents.items())}
    RechargeOption.objects.exclude(periods__in=percents).delete()
    for periods, off in percents.items():
        RechargeOption.objects.update_or_create(periods=periods, defaults={"discount_percent": off})
    if old != new:
        audit.record(actor=actor, verb="policy.discounts", row=policy, old=old, new=new)
    return list(RechargeOption.objects.order_by("periods"))


@transaction.atomic
def policy_set(*, changes: Mapping[str, Any], actor: str) -> BillingPolicy:
    """Change the tenant's rules. Raises DomainError ``policy.invalid`` naming what is wrong."""
    wrong = sorted(name for name, value in changes.items() if name not in _IS_GOOD or not _IS_GOOD[name](value))
    if wrong:
        fields = {name: ["Not a value of this rule."] for name in wrong}
        raise DomainError("policy.invalid", f"Not a rule of billing: {', '.join(wrong)}.", fields=fields)
    policy, _ = BillingPolicy.objects.select_for_update(no_key=True).get_or_create()
    old = {name: getattr(policy, name) for name in changes}
    for name, value in changes.items():
        setattr(policy, name, value)
    policy.save(update_fields=list(changes))
    audit.record(actor=actor, verb="policy.set", row=policy, old=old, new=changes)
    if old.get("suspension_mode", policy.suspension_mode) != policy.suspension_mode:
        _tell_the_suspended()
    if any(old[name] != changes[name] for name in changes if name in _TIMES):
        # Whoever is in grace was to be looked at when the old grace or quiet ends: he is looked at now.
        in_grace = Subscription.objects.filter(state=Subscription.State.GRACE, next_change_at__gt=clock.now())
        in_grace.update(next_change_at=clock.now())
    return policy


def _tell_the_suspended() -> None:
    """Whoever is cut already, or never paid, is cut in the new way."""
    off = [Subscription.State.SUSPENDED, Subscription.State.PENDING]
    rows = Subscription.objects.filter(state__in=off).order_by("id").values_list("id", "customer_id")
    emit_many(
        (SubscriptionChanged(subscription_id=subscription, customer_id=customer), f"customer:{customer}")
        for subscription, customer in rows
    )
