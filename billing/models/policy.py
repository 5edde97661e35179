"""A tenant's own rules of billing."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.models import TenantModel


class SuspensionMode(models.TextChoices):
    WALLED = "walled", _("Walled: stays connected, sees the pay page")
    BLOCKED = "blocked", _("Blocked: cannot connect")


class TaxMode(models.TextChoices):
    """How a package's price stands to tax. Whatever the customer is shown contains it."""

    NONE = "none", _("No tax")
    CONTAINED = "contained", _("Contained in prices")
    ON_TOP = "on_top", _("On top of prices")


def default_reminders() -> list[Any]:
    return [7, 3, 1]


def no_weekdays() -> list[Any]:
    return []


class BillingPolicy(TenantModel):
    """One row per tenant."""

    suspension_mode = models.CharField(max_length=8, choices=SuspensionMode.choices, default=SuspensionMode.WALLED)
    grace_hours = models.PositiveSmallIntegerField(default=0)
    #: Periods of days and months end at the local midnight after their last day, instead of the minute of purchase.
    ends_at_midnight = models.BooleanField(default=False)
    tax_mode = models.CharField(max_length=10, choices=TaxMode.choices, default=TaxMode.CONTAINED)
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    tax_name = models.CharField(max_length=20, default="VAT")
    remind_days = models.JSONField(default=default_reminders)
    #: When nobody is cut: whole local weekdays (Monday = 0), and local hours of every day (equal = none).
    quiet_weekdays = models.JSONField(default=no_weekdays)
    quiet_from_hour = models.PositiveSmallIntegerField(default=0)
    quiet_until_hour = models.PositiveSmallIntegerField(default=0)
    #: More cuts within an hour than this share of the active customers AND than this many stop, for a person to look.
    brake_share_percent = models.PositiveSmallIntegerField(default=25)
    brake_minimum = models.PositiveSmallIntegerField(default=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="billingpolicy_one"),
            models.CheckConstraint(
                condition=models.Q(quiet_from_hour__lte=23, quiet_until_hour__lte=23), name="billingpolicy_hours"
            ),
            models.CheckConstraint(condition=models.Q(brake_share_percent__lte=100), name="billingpolicy_share"),
            models.CheckConstraint(
                condition=models.Q(tax_percent__gte=0, tax_percent__lt=100), name="billingpolicy_tax"
            ),
        ]


class CutStop(TenantModel):
    """Cutting was stopped before the first cut. While a stop is open nobody of the tenant is cut.

    It goes on by the word of a person who has the right; some causes also end by themselves (``services.safety``).
    """

    class Cause(models.TextChoices):
        BRAKE = "brake", _("Too many at once")
        CLOCK = "clock", _("The clock jumped")
        TIME = "time", _("The clock is not set")
        GATEWAY = "gateway", _("A gateway is silent")

    cause = models.CharField(max_length=8, choices=Cause.choices)
    detail = models.CharField(max_length=120, blank=True)  # how far the clock jumped, which gateways
    would_cut = models.PositiveIntegerField(default=0)
    of_active = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "cause"], condition=models.Q(released_at=None), name="cutstop_one_open"
            )
        ]
        indexes = [models.Index(fields=["tenant", "-opened_at", "-id"], name="cutstop_recent")]


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
