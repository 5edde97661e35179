"""What programs send and get about packages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from ispbilling.kernel.money import Money
from ispbilling.kernel.rest import Shape, Strict
from packages.models import Package, PeriodUnit

_KBPS: dict[str, Any] = {
    "min_value": 64,
    "max_value": 100_000_000,
    "help_text": "Kilobits per second, as the subscriber sees them.",
}
_UNIT = {"day": "days", "hour": "hours", "minute": "minutes", "month": "months"}


def speed_text(kbps: int) -> str:
    """As people write it: ``10 Mbps``, ``512 kbps``."""
    return f"{Decimal(kbps) / 1000:f} Mbps".replace(".0 ", " ") if kbps >= 1000 else f"{kbps} kbps"


class NewPackage(Strict):
    name = serializers.CharField(max_length=80)
    price = serializers.DecimalField(max_digits=13, decimal_places=3, min_value=Decimal(0))
    periodUnit = serializers.ChoiceField(choices=PeriodUnit.choices, default="month")
    periodCount = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    downloadSpeed = serializers.IntegerField(**_KBPS)
    uploadSpeed = serializers.IntegerField(**_KBPS)
    description = serializers.CharField(max_length=2000, allow_blank=True, default="")
    sortOrder = serializers.IntegerField(min_value=0, max_value=32_000, default=0)
    isFeatured = serializers.BooleanField(default=False)


class PackageChange(Strict):
    """Any subset. Who has the package keeps what he paid for; the next period is sold as it then is."""

    name = serializers.CharField(max_length=80, required=False)
    price = serializers.DecimalField(max_digits=13, decimal_places=3, min_value=Decimal(0), required=False)
    downloadSpeed = serializers.IntegerField(required=False, **_KBPS)
    uploadSpeed = serializers.IntegerField(required=False, **_KBPS)
    description = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    sortOrder = serializers.IntegerField(min_value=0, max_value=32_000, required=False)
    isFeatured = serializers.BooleanField(required=False)
    isActive = serializers.BooleanField(required=False)


class PackageShape(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = serializers.CharField(help_text="Decimal, as text.")
    currency = serializers.CharField()
    speed = serializers.CharField(help_text="For people, download.")
    downloadSpeed = serializers.IntegerField(help_text="kbps")
    uploadSpeed = serializers.IntegerField(help_text="kbps")
    periodUnit = serializers.ChoiceField(choices=PeriodUnit.choices)
    periodCount = serializers.IntegerField()
    isActive = serializers.BooleanField()
    isFeatured = serializers.BooleanField()
    sortOrder = serializers.IntegerField()


class PackageList(Shape):
    packages = PackageShape(many=True)
    total = serializers.IntegerField()


def package_shown(package: Package, currency: str) -> dict[str, Any]:
    speed = package.speed_profile
    return {
        "id": str(package.id),
        "name": package.name,
        "description": package.description,
        "price": str(package.money(currency).amount),
        "currency": currency,
        "speed": speed_text(speed.download_kbps),
        "downloadSpeed": speed.download_kbps,
        "uploadSpeed": speed.upload_kbps,
        "periodUnit": package.period_unit,
        "periodCount": package.period_count,
        "isActive": package.is_active,
        "isFeatured": package.is_featured,
        "sortOrder": package.sort_order,
    }


class AppPackage(Shape):
    """The mobile app's words (seed 000)."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    speed = serializers.CharField()
    price = serializers.CharField()
    currency = serializers.CharField()
    validity_days = serializers.IntegerField(help_text="A calendar month counts as 30, what is under a day as 0.")
    description = serializers.CharField()
    features = serializers.ListField(child=serializers.CharField())
    is_featured = serializers.BooleanField()


def validity_days(package: Package) -> int:
    """The nearest the app's word comes; real ends are instants, see ``new_expiry`` of the preview."""
    days = {PeriodUnit.MONTH: 30, PeriodUnit.DAY: 1}.get(PeriodUnit(package.period_unit), 0)
    minutes = {PeriodUnit.HOUR: 60, PeriodUnit.MINUTE: 1}.get(PeriodUnit(package.period_unit), 0)
    return package.period_count * days + package.period_count * minutes // (24 * 60)


def app_package(package: Package, price: Money) -> dict[str, Any]:
    """``price`` is what the customer pays for one period, tax contained."""
    speed = package.speed_profile
    length = f"{package.period_count} {_UNIT[package.period_unit]}"
    return {
        "id": str(package.id),
        "name": package.name,
        "speed": speed_text(speed.download_kbps),
        "price": str(price.amount),
        "currency": price.currency,
        "validity_days": validity_days(package),
        "description": package.description,
        "features": [
            f"↓ {speed_text(speed.download_kbps)}",
            f"↑ {speed_text(speed.upload_kbps)}",
            length,
            *package.features,
        ],
        "is_featured": package.is_featured,
    }
