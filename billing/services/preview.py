"""What a change of money would do to a customer: it is done, looked at, and taken back before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.selectors import tenant_current
from billing.models import Subscription
from billing.selectors import wallet_of
from ispbilling.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Change:
    """One subscription: until when it was paid for, and until when it would be."""

    subscription: Subscription
    old_expires_at: datetime | None
    new_expires_at: datetime | None

    @property
    def is_longer(self) -> bool:
        return self.new_expires_at is not None and (
            self.old_expires_at is None or self.new_expires_at > self.old_expires_at
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """Only subscriptions that would change. ``wallet`` after it."""

    changes: list[Change]
    old_wallet: Money
    wallet: Money


def effect_of(*, customer_id: UUID, work: Callable[[], Any]) -> Effect:
    """What ``work`` would do to a customer. Whatever it raises is raised; nothing of it stays."""
    currency = tenant_current().currency
    with transaction.atomic():
        old_wallet, before = wallet_of(customer_id, currency), _standing(customer_id)
        work()
        wallet, after = wallet_of(customer_id, currency), _standing(customer_id)
        transaction.set_rollback(True)
    changes = [
        Change(row, before[key].expires_at if key in before else None, row.expires_at)
        for key, row in after.items()
        if key not in before or before[key].expires_at != row.expires_at
    ]
    return Effect(changes, old_wallet, wallet)


def _standing(customer_id: UUID) -> dict[UUID, Subscription]:
    rows = Subscription.objects.filter(customer_id=customer_id).select_related("package").order_by("created_at", "id")
    return {row.id: row for row in rows}
