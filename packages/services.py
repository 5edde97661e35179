"""Writes of packages."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError

from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.events import emit
from packages.events import PackageSpeedChanged
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
    is_featured: bool = False,
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
    profile = _profile(download_kbps, upload_kbps)
    package: Package = Package.objects.create(
        name=name,
        description=description,
        speed_profile=profile,
        price=price,
        period_unit=period_unit,
        period_count=period_count,
        sort_order=sort_order,
        is_featured=is_featured,
    )
    audit.record(actor=actor, verb="package.create", row=package, new={"name": name, "price": price})
    return package


_EDITABLE = ("name", "description", "price", "sort_order", "is_featured", "is_active")


@transaction.atomic
def package_edit(*, package_id: UUID, changes: Mapping[str, Any], actor: str) -> Package:
    """Change some of a package: its columns, ``download_kbps``, ``upload_kbps``.

    Its period stays: expiries are counted in it. A new speed goes to the lines of its subscribers. Raises NotFound,
    Conflict ``package.name``.
    """
    package = _locked(package_id)
    if Package.objects.filter(name=changes.get("name", "")).exclude(id=package.id).exists():
        raise Conflict("package.name", f"There is a package “{changes['name']}” already.")
    old, new = {}, {}
    for name in _EDITABLE:
        if name in changes and changes[name] != getattr(package, name):
            old[name], new[name] = getattr(package, name), changes[name]
            setattr(package, name, changes[name])
    before = package.speed_profile
    speed = (changes.get("download_kbps", before.download_kbps), changes.get("upload_kbps", before.upload_kbps))
    is_faster = speed != (before.download_kbps, before.upload_kbps)
    if is_faster:
        package.speed_profile = _profile(*speed)
        old["speed"], new["speed"] = before.name, package.speed_profile.name
    if new:
        package.save()
        audit.record(actor=actor, verb="package.edit", row=package, old=old, new=new)
    if is_faster:
        emit(PackageSpeedChanged(package_id=package.id), key=f"package:{package.id}")
    return package


@transaction.atomic
def package_delete(*, package_id: UUID, actor: str) -> None:
    """Take away a package nobody ever had. Raises NotFound, Conflict ``package.in_use``."""
    package = _locked(package_id)
    try:
        with transaction.atomic():
            audit.record(actor=actor, verb="package.delete", row=package, old={"name": package.name})
            package.delete()
    except ProtectedError as error:
        raise Conflict("package.in_use", "Somebody has it, or had it. Take it off sale instead.") from error


def _locked(package_id: UUID) -> Package:
    rows = Package.objects.select_for_update(of=("self",), no_key=True).select_related("speed_profile")
    package: Package | None = rows.filter(id=package_id).first()
    if package is None:
        raise NotFound("package.unknown", "There is no such package.")
    return package


def _profile(download_kbps: int, upload_kbps: int) -> SpeedProfile:
    profile, _ = SpeedProfile.objects.get_or_create(
        name=f"{download_kbps}k/{upload_kbps}k",
        defaults={"download_kbps": download_kbps, "upload_kbps": upload_kbps},
    )
    found: SpeedProfile = profile
    return found
