"""Writes of packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError

from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.events import emit
from packages.events import PackageSpeedChanged
from packages.models import Package, PeriodUnit, SpeedProfile, TaxClass


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
    is_active: bool = True,
    features: Sequence[str] = (),
    discounts: Mapping[str, str] | None = None,
    tax_class: str = TaxClass.STANDARD,
    actor: str,
) -> Package:
    """Put a package on sale. Equal speeds share one profile.

    Raises DomainError ``package.price``, ``package.period``, ``package.speed``, ``package.discounts``,
    ``package.features``, Conflict ``package.name``.
    """
    extras = {"features": list(features), "discounts": dict(discounts or {}), "tax_class": tax_class}
    _check({"price": price, **extras})
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
        is_active=is_active,
        **extras,
    )
    audit.record(actor=actor, verb="package.create", row=package, new={"name": name, "price": price})
    return package


_EDITABLE = (
    "name", "description", "price", "sort_order", "is_featured", "is_active", "features", "discounts", "tax_class",
)  # fmt: skip
MOST_FEATURES = 8


def _check(values: Mapping[str, Any]) -> None:
    """What a package may be. Only what is in ``values`` is looked at."""
    if values.get("price", 0) < 0:
        raise DomainError("package.price", "A price is not negative.", fields={"price": ["At least 0."]})
    features = values.get("features", [])
    if len(features) > MOST_FEATURES or any(not 0 < len(line) <= 80 for line in features):
        text = f"At most {MOST_FEATURES} lines of 80 characters."
        raise DomainError("package.features", text, fields={"features": [text]})
    if not all(_is_discount(*one) for one in values.get("discounts", {}).items()):
        raise DomainError("package.discounts", "A discount is from 0 to 100 per cent, for a number of periods.")
    if values.get("tax_class", TaxClass.STANDARD) not in TaxClass.values:
        raise DomainError("package.tax_class", f"A tax class is {' or '.join(TaxClass.values)}.")


def _is_discount(periods: str, percent: str) -> bool:
    try:
        return periods.isascii() and periods.isdigit() and int(periods) > 0 and 0 <= Decimal(percent) <= 100
    except (ArithmeticError, TypeError):
        return False


@transaction.atomic
def package_edit(*, package_id: UUID, changes: Mapping[str, Any], actor: str) -> Package:
    """Change some of a package: its columns, ``download_kbps``, ``upload_kbps``.

    Its period stays: expiries are counted in it. A new speed goes to the lines of its subscribers at once; a new price
    holds for what is bought from now on, so that whoever has it pays it from his next period on, while what is paid
    and orders that wait for their money keep theirs. Raises NotFound, Conflict ``package.name``, DomainError as
    ``package_create``.
    """
    _check(changes)
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
