"""Reads of the network."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import BooleanField, Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, When

from accounts.selectors import hosts_of_tenant
from billing.entitlement import Level
from billing.models import SuspensionMode
from billing.selectors import policy_current
from customers.selectors import customers_found
from ispbilling.kernel import clock, holders, tenancy
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.models import AuditEntry
from network.models import Drift, Line, Router, Session, WallSettings
from network.wall import destination_read
from payments.selectors import garden_hosts


def routers_all() -> QuerySet[Router]:
    rows: QuerySet[Router] = Router.objects.order_by("name")
    return rows


def routers_down() -> QuerySet[Router]:
    """Routers that should answer and do not."""
    rows: QuerySet[Router] = Router.objects.filter(is_enabled=True, is_up=False)
    return rows


def routers_known() -> QuerySet[Router]:
    """Routers that have answered once."""
    return Router.objects.filter(last_seen_at__isnull=False)


def router_get(router_id: UUID) -> Router:
    """Raises NotFound."""
    found: Router | None = Router.objects.filter(id=router_id).first()
    if found is None:
        raise NotFound("router.unknown", "There is no such router.")
    return found


def lines_waiting(router_id: UUID, limit: int = 100) -> list[Line]:
    """Lines of a router that are not seen to be as wished, with their customers."""
    rows = Line.objects.filter(router_id=router_id).exclude(applied_generation=F("generation"))
    return list(rows.select_related("customer").order_by("username")[:limit])


def lines_of(customer_id: UUID) -> list[Line]:
    """A customer's lines with their routers."""
    return list(Line.objects.filter(customer_id=customer_id).select_related("router").order_by("created_at"))


def lines_with_sessions(customer_id: UUID) -> list[Line]:
    """A customer's lines with their routers, each with ``newest_session``. Two queries."""
    lines = lines_of(customer_id)
    rows = Session.objects.filter(line__in=lines).order_by("line_id", "-started_at").distinct("line_id")
    newest = {row.line_id: row for row in rows}
    for line in lines:
        session = newest.get(line.id)
        if session is not None:
            session.line = line
        line.newest_session = session  # type: ignore[attr-defined]
    return lines


def lines_of_logins(*, username: str, customer_ids: Collection[UUID]) -> list[Line]:
    """Lines of this name, and those of these customers, with their customers; over all tenants inside the platform."""
    rows = Line.objects.filter(Q(username=username) | Q(customer_id__in=customer_ids), customer__deleted_at=None)
    return list(rows.select_related("customer", "tenant").filter(tenant__is_active=True).order_by("id")[:50])


def drifts_of(router_id: UUID, limit: int = 100) -> list[Drift]:
    """What hands changed on a router: what is still so first, then newest first."""
    rows = Drift.objects.filter(router_id=router_id).select_related("line__customer")
    is_open = Case(When(outcome=Drift.Outcome.OPEN, then=0), default=1, output_field=IntegerField())
    return list(rows.order_by(is_open, "-last_seen_at", "-id")[:limit])


def drift_counts() -> dict[UUID, int]:
    """How many lines of each router are left as a hand changed them."""
    rows = Drift.objects.filter(outcome=Drift.Outcome.OPEN).values("router_id")
    return {row["router_id"]: row["lines"] for row in rows.annotate(lines=Count("line_id", distinct=True))}


def sessions_of(customer_id: UUID, limit: int = 10) -> list[Session]:
    """A customer's latest sessions, newest first."""
    rows = Session.objects.filter(line__customer_id=customer_id).select_related("line")
    return list(rows.order_by("-started_at", "-id")[:limit])


def line_get(line_id: UUID) -> Line:
    """Raises NotFound."""
    found: Line | None = Line.objects.filter(id=line_id).first()
    if found is None:
        raise NotFound("line.unknown", "There is no such line.")
    return found


def session_get(session_id: UUID) -> Session:
    """With its line. Raises NotFound."""
    found: Session | None = Session.objects.select_related("line").filter(id=session_id).first()
    if found is None:
        raise NotFound("session.unknown", "There is no such session.")
    return found


#: Sessions are looked up among so many lines whose name or customer is found.
FOUND_MOST = 200


def sessions_found(query: str, *, router_id: UUID | None = None, is_open: bool = True) -> QuerySet[Session]:
    """Sessions whose user name, address or MAC begins with this, or whose customer is found by it."""
    rows: QuerySet[Session] = Session.objects.filter(stopped_at__isnull=is_open)
    rows = rows.select_related("line__customer", "router")
    if router_id is not None:
        rows = rows.filter(router_id=router_id)
    if query:
        customers = list(customers_found(query).values_list("id", flat=True)[:FOUND_MOST])
        lines = Line.objects.filter(Q(username__istartswith=query) | Q(customer_id__in=customers))
        found = list(lines.values_list("id", flat=True)[:FOUND_MOST])
        rows = rows.filter(Q(line_id__in=found) | Q(address__startswith=query) | Q(mac__istartswith=query))
    return rows


def session_counts() -> dict[UUID, int]:
    """Open sessions of each router that answers."""
    rows = Session.objects.filter(stopped_at=None, router__is_up=True).values("router_id")
    return {row["router_id"]: row["sessions"] for row in rows.annotate(sessions=Count("id"))}


def line_counts() -> dict[UUID, tuple[int, int]]:
    """How many lines each router has, and how many of them are not seen to be as wished."""
    waiting = Count("id", filter=~Q(applied_generation=F("generation")))
    rows = Line.objects.values("router_id").annotate(n=Count("id"), waiting=waiting)
    return {row["router_id"]: (row["n"], row["waiting"]) for row in rows}


def sessions_all_of(customer_id: UUID) -> QuerySet[Session]:
    """All of a customer's sessions, newest first."""
    rows: QuerySet[Session] = Session.objects.filter(line__customer_id=customer_id).select_related("line")
    return rows.order_by("-started_at", "-id")


@dataclass(frozen=True, slots=True)
class Used:
    """Bytes as the subscriber sees them."""

    download_bytes: int
    upload_bytes: int
    readings: int


def usage_since(customer_id: UUID, since: datetime) -> Used:
    """What a customer's sessions carried since an instant of machine time; one that began before, by its share."""
    rows = Session.objects.filter(line__customer_id=customer_id, seen_at__gt=since)
    down = up = readings = 0
    for began, seen, download, upload, read in rows.values_list(
        "started_at", "seen_at", "download_bytes", "upload_bytes", "readings"
    ):
        length = (seen - began).total_seconds()
        share = 1.0 if began >= since or length <= 0 else (seen - since).total_seconds() / length
        down, up, readings = down + round(download * share), up + round(upload * share), readings + read
    return Used(down, up, readings)


def customers_online(customer_ids: list[UUID]) -> set[UUID]:
    """Which of these customers have an open session, on a router that answers: of another nobody can know."""
    rows = Session.objects.filter(line__customer_id__in=customer_ids, stopped_at=None, router__is_up=True)
    return set(rows.values_list("line__customer_id", flat=True))


def online_count() -> int:
    """Open sessions of the tenant, on routers that answer."""
    return int(Session.objects.filter(stopped_at=None, router__is_up=True).count())


def routers_due() -> list[tuple[UUID, UUID]]:
    """(tenant, router) of every router that has something to be written or is due to be read, over all tenants.

    What a router refused waits for its next reading.
    """
    now = clock.machine_now()
    poll_due = Q(polled_at=None) | Q(polled_at__lte=now - timedelta(seconds=settings.POLL_INTERVAL_S))
    with tenancy.platform("network: which routers are due"):
        rows = _rested(Router.objects.filter(is_enabled=True, tenant__is_active=True))
        due = rows.filter(poll_due | Q(polled_at__gt=now) | Q(is_up=False) | Q(has_waiting=True))
        free = Q(lease=None) | clock.has_come("lease_until", longest=Router.LEASE)
        found = due.annotate(is_free=Case(When(free, then=True), default=False, output_field=BooleanField()))
        rows_found = list(found.values_list("tenant_id", "id", "is_free", "lease_holder", "lease"))
    return [
        (tenant, router)
        for tenant, router, is_free, holder, lease in rows_found
        if is_free or holders.is_left_behind(holder, lease)
    ]


def router_is_resting(router_id: UUID) -> bool:
    """Whether a router failed lately and is left alone."""
    return not _rested(Router.objects.filter(id=router_id)).exists()


def _rested(routers: QuerySet[Router]) -> QuerySet[Router]:
    """Routers that may be spoken to: their back-off is over, or it is long enough ago and lines wait."""
    waiting = Line.objects.filter(router_id=OuterRef("id"), last_error="").exclude(applied_generation=F("generation"))
    rested = Q(retry_at=None) | clock.has_come("retry_at", longest=Router.BACK_OFF_MAX)
    urgent = Q(has_waiting=True, failed_at__lte=clock.machine_now() - Router.BACK_OFF_URGENT)
    return routers.annotate(has_waiting=Exists(waiting)).filter(rested | urgent)


def wall_settings() -> WallSettings:
    """The tenant's wall; a tenant without a row has the usual one."""
    return WallSettings.objects.first() or WallSettings()


def wall_destinations() -> set[str]:
    """What is reachable from behind the wall: the portal, what the tenant's ways of paying need, and his own hosts."""
    own = set(wall_settings().hosts.splitlines())
    portal = {urlsplit(settings.PUBLIC_URL).hostname or "", *hosts_of_tenant()}
    page = {settings.WALL_PAGE_ADDRESS.rpartition(":")[0]}
    found = set()
    for host in portal | page | garden_hosts() | own:
        with suppress(ValueError):  # an IPv6 address has no place on the list
            found.add(destination_read(host))
    return found


def is_walling(router_id: UUID) -> bool:
    """Whether anybody is, or is to be, behind the wall of this router."""
    if policy_current().suspension_mode == SuspensionMode.WALLED:
        return True
    return bool(Line.objects.filter(router_id=router_id, level=Level.WALLED).exists())


def tenant_of_address(address: str) -> UUID | None:
    """The tenant of whoever is online with this address; None for nobody, and for somebody of several tenants."""
    with tenancy.platform("network: whose subscriber is this"):
        rows = Session.objects.filter(address=address, stopped_at=None).values_list("tenant_id", flat=True)
        found = list(rows.distinct().order_by()[:2])
    return found[0] if len(found) == 1 else None


def tenant_of_router(router_id: UUID) -> UUID | None:
    with tenancy.platform("network: whose router is this"):
        found: UUID | None = Router.objects.filter(id=router_id).values_list("tenant_id", flat=True).first()
    return found


@dataclass(frozen=True, slots=True)
class RouterRow:
    """A router as it stands in the list."""

    router: Router
    sessions: int
    lines: int
    waiting: int
    drifts: int
    is_resting: bool


def router_rows() -> list[RouterRow]:
    """Every router with its counts, in a fixed number of queries."""
    routers = routers_all().annotate(is_rested=Exists(_rested(Router.objects.filter(id=OuterRef("id")))))
    sessions, lines, drifts = session_counts(), line_counts(), drift_counts()
    return [
        RouterRow(
            router=one,
            sessions=sessions.get(one.id, 0),
            lines=lines.get(one.id, (0, 0))[0],
            waiting=lines.get(one.id, (0, 0))[1],
            drifts=drifts.get(one.id, 0),
            is_resting=not one.is_rested,  # type: ignore[attr-defined]
        )
        for one in routers
    ]


def router_row(router: Router) -> RouterRow:
    """One router with its counts."""
    lines = Line.objects.filter(router_id=router.id)
    counted = lines.aggregate(all=Count("id"), waiting=Count("id", filter=~Q(applied_generation=F("generation"))))
    sessions = Session.objects.filter(router_id=router.id, stopped_at=None).count() if router.is_up else 0
    left = Drift.objects.filter(router_id=router.id, outcome=Drift.Outcome.OPEN)
    return RouterRow(
        router=router,
        sessions=sessions,
        lines=counted["all"],
        waiting=counted["waiting"],
        drifts=left.values("line_id").distinct().count(),
        is_resting=router_is_resting(router.id),
    )


def router_audit(router_id: UUID, limit: int = 8) -> list[AuditEntry]:
    """What was done to a router last, newest first."""
    rows = AuditEntry.objects.filter(row_type="network.router", row_id=str(router_id))
    return list(rows.order_by("-at", "-id")[:limit])
