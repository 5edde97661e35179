"""What answers the browser of somebody behind the wall: whatever he asked for, here is the portal.

Routers send plain HTTP here (``WALL_PAGE_ADDRESS``); so an operating system that asks whether it is online is led to
the portal too, and shows it. No request is believed in anything but where it came from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from html import escape
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction

from accounts.models import Tenant
from accounts.selectors import hosts_of_tenant, tenants_active
from ispbilling.kernel import tenancy
from network.selectors import tenant_of_address

KEPT_S = 10.0  # seconds a caller's way is remembered: a telephone asks many times
KEPT_MOST = 10_000

log = structlog.get_logger(__name__)
_known: dict[str, tuple[float, str]] = {}

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def respond(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """WSGI: any method, host and path."""
    portal = portal_for(str(environ.get("REMOTE_ADDR", "")))
    body = f'<!doctype html><title>Portal</title><a href="{escape(portal)}">{escape(portal)}</a>\n'.encode()
    headers = [
        ("Location", portal),
        ("Cache-Control", "no-store"),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),  # once he has paid, the next request must not come here
    ]
    start_response("302 Found", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def portal_for(address: str) -> str:
    """The portal of whoever has this address; without knowing whose subscriber he is, the installation's own."""
    now = time.monotonic()
    at, portal = _known.get(address, (0.0, ""))
    if portal and now - at < KEPT_S:
        return portal
    try:
        close_old_connections()
        with transaction.atomic():
            portal = _portal_of(_tenant_for(address))
    except DatabaseError as error:
        log.warning("wall_page.no_database", error=type(error).__name__)
        return _portal_of(None)
    if len(_known) >= KEPT_MOST:
        _known.clear()
    _known[address] = (now, portal)
    return portal


def _tenant_for(address: str) -> Tenant | None:
    tenants = tenants_active()
    if len(tenants) == 1:
        return tenants[0]
    wanted = tenant_of_address(address)
    return next((one for one in tenants if one.id == wanted), None)


def _portal_of(tenant: Tenant | None) -> str:
    """At the tenant's first host name, with scheme and port of the installation."""
    public = urlsplit(settings.PUBLIC_URL)
    netloc = public.netloc
    if tenant is not None:
        with tenancy.tenant_context(tenant.id), transaction.atomic():
            hosts = hosts_of_tenant()
        if hosts and public.hostname not in hosts:
            netloc = f"{hosts[0]}:{public.port}" if public.port else hosts[0]
    return f"{public.scheme}://{netloc}/client/"
