"""Packages and the speeds they give."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models

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

    MINUTE = "minute", "minutes"
    HOUR = "hour", "hours"
    DAY = "day", "days"
    MONTH = "month", "months"


class Package(TenantModel):
    """What is sold: a speed for a period at a price, tax included."""

    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    speed_profile = TenantForeignKey(SpeedProfile, on_delete=models.PROTECT, related_name="packages")
    price = AmountField()
    period_unit = models.CharField(max_length=6, choices=PeriodUnit.choices)
    period_count = models.PositiveSmallIntegerField(default=1)
    is_active = models.BooleanField(default=True)
    is_featured = models.BooleanField(default=False)
    sort_order = models.PositiveSmallIntegerField(default=0)

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
