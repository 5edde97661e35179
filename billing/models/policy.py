"""A tenant's own rules of billing."""

from __future__ import annotations

from typing import Any

from django.db import models

from ispbilling.kernel.models import TenantModel


class SuspensionMode(models.TextChoices):
    WALLED = "walled", "Walled: stays connected, sees the pay page"
    BLOCKED = "blocked", "Blocked: cannot connect"


def default_reminders() -> list[Any]:
    return [7, 3, 1]


class BillingPolicy(TenantModel):
    """One row per tenant."""

    suspension_mode = models.CharField(max_length=8, choices=SuspensionMode.choices, default=SuspensionMode.WALLED)
    grace_hours = models.PositiveSmallIntegerField(default=0)
    #: Periods of days and months end at the local midnight after their last day, instead of the minute of purchase.
    ends_at_midnight = models.BooleanField(default=False)
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)  # contained in prices
    remind_days = models.JSONField(default=default_reminders)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="billingpolicy_one"),
            models.CheckConstraint(
                condition=models.Q(tax_percent__gte=0, tax_percent__lt=100), name="billingpolicy_tax"
            ),
        ]


class RechargeOption(TenantModel):
    """How many periods may be bought at once, and what that takes off the price."""

    periods = models.PositiveSmallIntegerField()
    discount_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "periods"], name="rechargeoption_once"),
            models.CheckConstraint(
                condition=models.Q(discount_percent__gte=0, discount_percent__lte=100), name="rechargeoption_percent"
            ),
        ]
