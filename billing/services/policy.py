"""A tenant's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.models import BillingPolicy, RechargeOption, SuspensionMode
from ispbilling.kernel import audit
from ispbilling.kernel.errors import DomainError

#: What a new tenant begins with: periods → per cent off.
RECHARGE_OPTIONS = {1: 0, 2: 0, 3: 5, 6: 10, 12: 15}


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
def policy_set(*, changes: Mapping[str, Any], actor: str) -> BillingPolicy:
    """Change the tenant's rules. Raises DomainError ``policy.invalid`` naming what is wrong."""
    allowed = {"suspension_mode", "grace_hours", "ends_at_midnight", "tax_percent", "remind_days"}
    unknown = set(changes) - allowed
    if unknown or changes.get("suspension_mode", "walled") not in SuspensionMode.values:
        raise DomainError(
            "policy.invalid", f"Not a rule of billing: {', '.join(sorted(unknown)) or 'suspension_mode'}."
        )
    policy, _ = BillingPolicy.objects.select_for_update(no_key=True).get_or_create()
    old = {name: getattr(policy, name) for name in changes}
    for name, value in changes.items():
        setattr(policy, name, value)
    policy.save(update_fields=list(changes))
    audit.record(actor=actor, verb="policy.set", row=policy, old=old, new=changes)
    return policy
