"""Reads of packages."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from ispbilling.kernel.errors import NotFound
from packages.models import Package


def packages_on_sale() -> QuerySet[Package]:
    """What can be bought now, in the order the tenant chose."""
    rows: QuerySet[Package] = Package.objects.filter(is_active=True).select_related("speed_profile")
    return rows.order_by("sort_order", "name")


def packages_all() -> QuerySet[Package]:
    """On sale or not, in the order the tenant chose."""
    rows: QuerySet[Package] = Package.objects.select_related("speed_profile")
    return rows.order_by("sort_order", "name")


def package_get(package_id: UUID) -> Package:
    """Raises NotFound."""
    found: Package | None = Package.objects.select_related("speed_profile").filter(id=package_id).first()
    if found is None:
        raise NotFound("package.unknown", "There is no such package.")
    return found
