"""Reads of packages."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q, QuerySet

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


def packages_counted() -> QuerySet[Package]:
    """All, those on sale first; ``subscribers`` is how many have each now, ``ever`` how many have or had it."""
    # Named by its relation alone: who subscribes is known upstairs.
    running = ~Q(subscriptions__state="ended")
    rows = packages_all().annotate(subscribers=Count("subscriptions", filter=running), ever=Count("subscriptions"))
    return rows.order_by("-is_active", "sort_order", "name")


def package_counted(package_id: UUID) -> Package:
    """One of them. Raises NotFound."""
    found: Package | None = packages_counted().filter(id=package_id).first()
    if found is None:
        raise NotFound("package.unknown", "There is no such package.")
    return found
