"""Reads of the network."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ispbilling.kernel import clock, tenancy
from network.models import Line, Router, Session


def routers_all() -> QuerySet[Router]:
    rows: QuerySet[Router] = Router.objects.order_by("name")
    return rows


def lines_of(customer_id: UUID) -> list[Line]:
    """A customer's lines with their routers."""
    return list(Line.objects.filter(customer_id=customer_id).select_related("router").order_by("created_at"))


def sessions_of(customer_id: UUID, limit: int = 10) -> list[Session]:
    """A customer's latest sessions, newest first."""
    rows = Session.objects.filter(line__customer_id=customer_id).select_related("line")
    return list(rows.order_by("-started_at", "-id")[:limit])


def customers_online(customer_ids: list[UUID]) -> set[UUID]:
    """Which of these customers have an open session."""
    rows = Session.objects.filter(line__customer_id__in=customer_ids, stopped_at=None)
    return set(rows.values_list("line__customer_id", flat=True))


def online_count() -> int:
    """Open sessions of the tenant."""
    return int(Session.objects.filter(stopped_at=None).count())


def routers_due() -> list[tuple[UUID, UUID]]:
    """(tenant, router) of every router that has something to be written or is due to be read, over all tenants.

    What a router refused waits for its next reading.
    """
    now = clock.machine_now()
    with tenancy.platform("network: which routers are due"):
        dirty = Line.objects.filter(router_id=OuterRef("id"), last_error="").exclude(applied_generation=F("generation"))
        rows = Router.objects.filter(Q(retry_at=None) | Q(retry_at__lte=now), is_enabled=True).filter(
            Q(polled_at=None)
            | Q(polled_at__lte=now - timedelta(seconds=settings.POLL_INTERVAL_S))
            | Q(is_up=False)
            | Exists(dirty)
        )
        return list(rows.values_list("tenant_id", "id"))


def tenant_of_router(router_id: UUID) -> UUID | None:
    with tenancy.platform("network: whose router is this"):
        found: UUID | None = Router.objects.filter(id=router_id).values_list("tenant_id", flat=True).first()
    return found
