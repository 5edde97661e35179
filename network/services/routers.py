"""Routers as staff enter and change them. A router is asked who it is before anything is kept."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.services import tries_allow, tries_count
from accounts.services.tries import Limit
from ispbilling.kernel import audit, live, tenancy, wake
from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import Conflict, DomainError, NotFound, Unsupported
from network.drivers.base import RouterFacts, RouterState, Target, drivers
from network.models import Line, Router, Session
from network.services.devices import fingerprint_of

#: How often one person may have the server call an address he typed.
ASKS_MOST = 20
ASKS_WINDOW = timedelta(minutes=15)
#: What the names of our profiles begin with.
PROFILES_OURS = "isp-"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Probe:
    """What a router said before it was entered. ``fingerprint`` is empty without TLS.

    ``lines_ours`` carry this tenant's mark, ``lines_others`` another installation's or tenant's, ``lines_foreign``
    none: they stay as they are. ``profiles``: names we use and that
    are not ours there. ``has_wall``: whether it can keep people behind the wall.
    """

    facts: RouterFacts
    fingerprint: str
    lines_ours: int
    lines_others: int
    lines_foreign: int
    profiles: tuple[str, ...]
    has_wall: bool


def router_probe(*, target: Target, driver: str = "mikrotik", actor: str) -> Probe:
    """Connect, ask who it is and what is on it. Writes nothing to the router. Call outside a transaction.

    Raises DomainError ``router.driver`` or ``router.host``, TooMany, Retryable, Refused.
    """
    if driver not in drivers:
        raise DomainError("router.driver", _("There is no such kind of router."))
    limits = [Limit("router.probe", actor, ASKS_MOST, ASKS_WINDOW)]
    with transaction.atomic():
        tries_allow(limits=limits)
        tries_count(limits=limits)
    _host_allow(target.host)
    with drivers.get(driver).connect(target) as link:
        facts, state = link.describe(), link.read()
        try:
            link.read_wall()
            has_wall = True
        except Unsupported:
            has_wall = False
        fingerprint = fingerprint_of(link)
    return _probe_of(facts, state, fingerprint, has_wall=has_wall)


def _probe_of(facts: RouterFacts, state: RouterState, fingerprint: str, *, has_wall: bool) -> Probe:
    own = f"isp:{tenancy.tenant_id_required()}:"
    marks = [line.mark for line in state.lines.values()]
    foreign = sorted(name for name, one in state.profiles.items() if name.startswith(PROFILES_OURS) and not one.is_ours)
    return Probe(
        facts=facts,
        fingerprint=fingerprint,
        lines_ours=sum(mark.startswith(own) for mark in marks),
        lines_others=sum(bool(mark) and not mark.startswith(own) for mark in marks),
        lines_foreign=sum(not mark for mark in marks),
        profiles=tuple(foreign[:SHOWN]),
        has_wall=has_wall,
    )


def _host_allow(host: str) -> None:
    """Staff of a tenant may not have this server call itself, or what only its own network segment has."""
    try:
        found = {ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError) as error:
        text = _("This name is not known. Check it, or enter the address.")
        raise DomainError("router.host", text, fields={"host": [text]}) from error
    local = not settings.ROUTERS_MAY_BE_LOCAL and any(one.is_loopback for one in found)
    if local or any(one.is_link_local or one.is_multicast or one.is_unspecified for one in found):
        text = _("A router cannot have this address.")
        raise DomainError("router.host", text, fields={"host": [text]})


@transaction.atomic
def router_add(
    *,
    name: str,
    host: str,
    username: str,
    password: str,
    port: int | None = None,
    use_tls: bool = False,
    tls_fingerprint: str = "",
    driver: str = "mikrotik",
    actor: str,
) -> Router:
    """Enter a router. Raises DomainError ``router.driver``, Conflict ``router.name``."""
    if driver not in drivers:
        raise DomainError("router.driver", f"There is no driver “{driver}” ({', '.join(drivers.names())}).")
    _name_is_free(name)
    adapter = drivers.get(driver)
    router: Router = Router.objects.create(
        name=name,
        driver=driver,
        host=host,
        port=port or (adapter.default_tls_port if use_tls else adapter.default_port),
        username=username,
        password=password,
        use_tls=use_tls,
        tls_fingerprint=tls_fingerprint,
    )
    router = Router.objects.get(id=router.id)
    audit.record(actor=actor, verb="router.add", row=router, new={"name": name, "host": host, "port": router.port})
    live.say("routers")
    wake.on_commit("routers", [str(router.id)])
    return router


@transaction.atomic
def router_edit(
    *,
    router_id: UUID,
    name: str,
    host: str,
    port: int,
    use_tls: bool,
    username: str,
    password: str = "",
    tls_fingerprint: str = "",
    actor: str,
) -> Router:
    """Change how a router is named and reached. Without ``password`` the one that is kept stays.

    The password goes where the router is said to be, so whoever says it is elsewhere types it again. Raises NotFound,
    Conflict ``router.name``, DomainError ``router.password``.
    """
    router = _locked(router_id)
    if name != router.name:
        _name_is_free(name)
    changed = {"name": name, "host": host, "port": port, "use_tls": use_tls, "username": username}
    old = {field: getattr(router, field) for field, value in changed.items() if getattr(router, field) != value}
    if is_elsewhere(router, host=host, port=port, use_tls=use_tls, username=username) and not password:
        text = _("Type the password again: the router is reached in another way than before.")
        raise DomainError("router.password", text, fields={"password": [text]})
    for field, value in changed.items():
        setattr(router, field, value)
    if old.keys() - {"name"} or password:
        router.tls_fingerprint = tls_fingerprint
        router.retry_at, router.audited_at = None, None
    if password:
        router.password = Secret(password)
    router.save()
    new = {field: changed[field] for field in old} | ({"password": "***"} if password else {})
    audit.record(actor=actor, verb="router.edit", row=router, old=old, new=new)
    live.say("routers")
    wake.on_commit("routers", [str(router_id)])
    return router


def is_elsewhere(router: Router, *, host: str, port: int, use_tls: bool, username: str) -> bool:
    """Whether these would send the password of a router anywhere it is not sent to now."""
    return (router.host, router.port, router.use_tls, router.username) != (host, port, use_tls, username)


@transaction.atomic
def router_switch(*, router_id: UUID, is_enabled: bool, actor: str) -> Router:
    """Have a router spoken to, or left alone: its lines stay as they are on it. Raises NotFound."""
    router = _locked(router_id)
    if router.is_enabled != is_enabled:
        audit.record(
            actor=actor,
            verb="router.switch",
            row=router,
            old={"is_enabled": router.is_enabled},
            new={"is_enabled": is_enabled},
        )
        router.is_enabled, router.retry_at, router.audited_at = is_enabled, None, None
        router.save(update_fields=["is_enabled", "retry_at", "audited_at"])
        live.say("routers", "sessions", "alerts")
        if is_enabled:
            wake.on_commit("routers", [str(router_id)])
    return router


@transaction.atomic
def router_remove(*, router_id: UUID, actor: str) -> None:
    """Forget a router nobody is on. What stands on it stays there. Raises NotFound, Conflict ``router.lines``."""
    router = _locked(router_id)
    if Line.objects.filter(router=router).exists() or Session.objects.filter(router=router).exists():
        raise Conflict("router.lines", _("This router has lines. Only a router without any can be removed."))
    audit.record(actor=actor, verb="router.remove", row=router, old={"name": router.name, "host": router.host})
    router.delete()
    live.say("routers", "alerts")


def _name_is_free(name: str) -> None:
    if Router.objects.filter(name=name).exists():
        text = _("There is a router “%(name)s” already.") % {"name": name}
        raise Conflict("router.name", text, fields={"name": [text]})


def _locked(router_id: UUID) -> Router:
    router: Router | None = Router.objects.select_for_update(no_key=True).filter(id=router_id).first()
    if router is None:
        raise NotFound("router.unknown", "There is no such router.")
    return router
