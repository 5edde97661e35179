"""Packages and the speeds they give."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, Money


class SpeedProfile(TenantModel):
    """The rates alone, in kilobits per second as the subscriber sees them."""

    name = models.CharField(max_length=60)
    download_kbps = models.PositiveIntegerField(validators=[MinValueValidator(64)])
    upload_kbps = models.PositiveIntegerField(validators=[MinValueValidator(64)])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="speedprofile_name")]

    def __str__(self) -> str:
        return self.name


class PeriodUnit(models.TextChoices):
    """What a package's validity is counted in. A month is a calendar month."""

    MINUTE = "minute", _("minutes")
    HOUR = "hour", _("hours")
    DAY = "day", _("days")
    MONTH = "month", _("months")


class TaxClass(models.TextChoices):
    """Whether the tenant's tax is on it."""

    STANDARD = "standard", _("Taxed as everything")
    EXEMPT = "exempt", _("Free of tax")


def no_features() -> list[str]:
    return []


def no_discounts() -> dict[str, str]:
    return {}


class Package(TenantModel):
    """What is sold: a speed for a period at a price.

    ``discounts``: its own per cent off by periods bought at once, as text: ``{"3": "5"}``; empty = the tenant's usual.
    Whether the price contains tax is the tenant's rule.
    """

    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    speed_profile = TenantForeignKey(SpeedProfile, on_delete=models.PROTECT, related_name="packages")
    price = AmountField()
    period_unit = models.CharField(max_length=6, choices=PeriodUnit.choices)
    period_count = models.PositiveSmallIntegerField(default=1)
    is_active = models.BooleanField(default=True)
    is_featured = models.BooleanField(default=False)
    sort_order = models.PositiveSmallIntegerField(default=0)
    features = models.JSONField(default=no_features)  # short lines, as customers are told them
    discounts = models.JSONField(default=no_discounts)
    tax_class = models.CharField(max_length=8, choices=TaxClass.choices, default=TaxClass.STANDARD)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="package_name"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="package_price_not_negative"),
            models.CheckConstraint(condition=models.Q(period_count__gte=1), name="package_period_positive"),
        ]
        indexes = [models.Index(fields=["tenant", "sort_order", "name"], name="package_order")]

    def __str__(self) -> str:
        return self.name

    def money(self, currency: str) -> Money:
        return Money(self.price, currency)
