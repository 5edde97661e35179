"""Writes of packages."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict, DomainError
from packages.models import Package, PeriodUnit, SpeedProfile


@transaction.atomic
def package_create(
    *,
    name: str,
    price: Decimal,
    period_unit: str,
    period_count: int,
    download_kbps: int,
    upload_kbps: int,
    description: str = "",
    sort_order: int = 0,
    actor: str,
) -> Package:
    """Put a package on sale. Equal speeds share one profile.

    Raises DomainError ``package.price``, ``package.period``, ``package.speed``, Conflict ``package.name``.
    """
    if price < 0:
        raise DomainError("package.price", "A price is not negative.", fields={"price": ["At least 0."]})
    if period_unit not in PeriodUnit.values or period_count < 1:
        raise DomainError("package.period", f"A period is 1 or more of {', '.join(PeriodUnit.values)}.")
    if min(download_kbps, upload_kbps) < 64:
        raise DomainError("package.speed", "Speeds start at 64 kbps.")
    if Package.objects.filter(name=name).exists():
        raise Conflict("package.name", f"There is a package “{name}” already.")
    profile, _ = SpeedProfile.objects.get_or_create(
        name=f"{download_kbps}k/{upload_kbps}k",
        defaults={"download_kbps": download_kbps, "upload_kbps": upload_kbps},
    )
    package: Package = Package.objects.create(
        name=name,
        description=description,
        speed_profile=profile,
        price=price,
        period_unit=period_unit,
        period_count=period_count,
        sort_order=sort_order,
    )
    audit.record(actor=actor, verb="package.create", row=package, new={"name": name, "price": price})
    return package
