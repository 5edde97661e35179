"""Giving the simulators what stood at the far ends: rows on routers, and subscribers' boxes that dial.

They forget when they stop, as no real router does. So this is done before any worker speaks to them, or each row of
ours would count as taken away by hand.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import requests
from django.db import transaction

from accounts.models import Tenant
from ispbilling.kernel import tenancy
from network.convergence import difference, profile_of
from network.drivers.base import drivers
from network.models import Line, Router
from network.services.convergence import wanted_of
from network.services.devices import target_of

PATIENCE_S = 10


def far_ends_set(*, tenant: Tenant, ends: Mapping[str, Any]) -> None:
    """Call outside a transaction. Raises Retryable when a simulated router does not answer."""
    with tenancy.tenant_context(tenant.id):
        with transaction.atomic():
            routers = list(Router.objects.order_by("name"))
            lines = list(Line.objects.order_by("created_at", "id"))
        for router in routers:
            _rows_set(router, [line for line in lines if line.router_id == router.id and line.applied_generation])
    names = {router.id: router.name for router in routers}
    with requests.Session() as web:
        for line in lines:
            speed = line.download_kbps * 1000
            body = {
                "router": names[line.router_id],
                "name": line.username,
                "password": line.password.reveal(),
                "mac": mac_of(names[line.router_id], line.username),
                "download_bps": speed // 25,
                "upload_bps": speed // 250,
            }
            web.post(f"{ends['control']}/routeros.cpe_add", json=body, timeout=PATIENCE_S).raise_for_status()


def _rows_set(router: Router, lines: list[Line]) -> None:
    profiles = {profile_of(line.level, line.download_kbps, line.upload_kbps) for line in lines}
    with drivers.get(router.driver).connect(target_of(router)) as link:
        state = link.read()
        wanted = [wanted_of(line) for line in lines]
        link.apply(difference(profiles=profiles, lines=wanted, unconfirmed=(), state=state).plan)


def mac_of(router: str, username: str) -> str:
    """The address of a subscriber's box, the same in the history and now; of nobody's making (locally administered)."""
    number = zlib.crc32(f"{router}:{username}".encode())
    return "02:15:{:02X}:{:02X}:{:02X}:{:02X}".format(*number.to_bytes(4, "big"))
