"""The wall of a tenant, and making a router have it."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from ispbilling.kernel import audit, wake
from ispbilling.kernel.errors import DomainError, Unsupported
from network.drivers.base import RouterDriver
from network.models import Router, WallSettings
from network.selectors import is_walling, wall_destinations
from network.wall import destination_read, garden_of, redirects_of, rules_of, wall_difference

HOSTS_MAX = 100

log = structlog.get_logger(__name__)


@transaction.atomic
def wall_hosts_set(*, hosts: str, actor: str) -> WallSettings:
    """Say what else is reachable from behind the wall, one destination a line; all routers are told soon.

    Raises DomainError ``wall.hosts`` naming the first that is none.
    """
    found: list[str] = []
    for line in hosts.splitlines():
        if not line.strip():
            continue
        try:
            found.append(destination_read(line))
        except ValueError as error:
            text = f"“{line.strip()[:60]}” is no host name, address or network."
            raise DomainError("wall.hosts", text, fields={"hosts": [text]}) from error
    if len(found) > HOSTS_MAX:
        text = f"More than {HOSTS_MAX} destinations are no wall."
        raise DomainError("wall.hosts", text, fields={"hosts": [text]})
    row, _ = WallSettings.objects.select_for_update(no_key=True).get_or_create()
    old, row.hosts = row.hosts, "\n".join(dict.fromkeys(found))
    row.save(update_fields=["hosts"])
    audit.record(actor=actor, verb="wall.set", row=row, old={"hosts": old}, new={"hosts": row.hosts})
    Router.objects.update(audited_at=None)  # all is compared at the next contact
    wake.on_commit("routers", [str(router) for router in Router.objects.values_list("id", flat=True)])
    return row


def wall_converge(*, router_id: UUID, link: RouterDriver) -> None:
    """Make the wall of a router stand as wanted, or be gone. Call outside a transaction.

    What the router will not have is written at its row and stops nothing else. Raises Retryable when it is away.
    """
    with transaction.atomic():
        is_wanted = is_walling(router_id)
        garden = garden_of(wall_destinations()) if is_wanted else []
    rules = rules_of(has_garden=bool(garden)) if is_wanted else []
    redirects = redirects_of(settings.WALL_PAGE_ADDRESS) if is_wanted else []
    error = ""
    try:
        plan = wall_difference(garden=garden, rules=rules, redirects=redirects, state=link.read_wall())
        if plan:
            refused = link.apply_wall(plan).refused
            error = "; ".join(f"{mark}: {text}" for mark, text in sorted(refused.items()))
            left = wall_difference(garden=garden, rules=rules, redirects=redirects, state=link.read_wall())
            if left and not error:
                error = "The wall was written and does not stand."
            log.info("wall.written", router=str(router_id), refused=len(refused))
    except Unsupported as unsupported:
        error = str(unsupported) if is_wanted else ""
    with transaction.atomic():
        Router.objects.filter(id=router_id).exclude(wall_error=error[:200]).update(wall_error=error[:200])
