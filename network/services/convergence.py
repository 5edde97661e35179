"""Making a router equal to what is wanted: read, compare, write, read again, and only then believe it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import structlog
from django.db import transaction

from billing.entitlement import Level
from ispbilling.kernel import clock, tenancy, wake
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.events import emit_many
from ispbilling.kernel.failpoints import failpoint
from network.convergence import Difference, difference, profile_of, right_now
from network.drivers.base import LineWanted, RouterDriver, RouterState, drivers
from network.events import AccessChanged
from network.models import Line, Router
from network.services.devices import (
    contact_failed,
    contact_succeeded,
    fingerprint_of,
    lease_give,
    lease_take,
    target_of,
)
from network.services.sessions import sessions_record

log = structlog.get_logger(__name__)


def router_converge(*, router_id: UUID) -> str:
    """One contact with one router. Call outside a transaction. Returns what came of it, in a word.

    ``done``; ``busy``: another worker has it; ``resting``: it failed lately; ``away``: it does not answer now.
    """
    lease = lease_take(router_id=router_id)
    if lease is None:
        return "busy"
    try:
        return _contact(router_id)
    finally:
        lease_give(router_id=router_id, lease=lease)


def _contact(router_id: UUID) -> str:
    with transaction.atomic():
        router = Router.objects.get(id=router_id)
    if router.retry_at is not None and router.retry_at > clock.machine_now():
        return "resting"
    try:
        with drivers.get(router.driver).connect(target_of(router)) as link:
            facts = link.describe()
            _converge(router, link)
            sessions_record(router_id=router.id, seen=link.sessions(), uptime_s=facts.uptime_s)
            contact_succeeded(router_id=router.id, facts=facts, fingerprint=fingerprint_of(link))
    except (Retryable, Refused) as error:
        log.warning("router.away", router=router.name, error=str(error))
        contact_failed(router_id=router.id, error=str(error))
        return "away"
    return "done"


def _converge(router: Router, link: RouterDriver) -> None:
    lines = _lines_of(router.id)
    wanted = {line.id: wanted_of(line) for line in lines}
    state = link.read()
    found = _difference(lines, wanted, state)
    refused: Mapping[str, str] = {}
    if found.plan:
        failpoint("network.converge.before_apply")
        names = {line.id: line.username for line in state.lines.values()}
        refused = {names.get(key, key): text for key, text in link.apply(found.plan).refused.items()}
        failpoint("network.converge.after_apply")
        state = link.read()
    failpoint("network.converge.before_record")
    _record(router.id, lines, wanted, state, refused, found.foreign)
    failpoint("network.converge.after_record")


@transaction.atomic
def _lines_of(router_id: UUID) -> list[Line]:
    return list(Line.objects.filter(router_id=router_id).order_by("username"))


def wanted_of(line: Line) -> LineWanted:
    """A line as its router should have it."""
    profile = profile_of(line.level, line.download_kbps, line.upload_kbps)
    return LineWanted(
        mark=f"isp:{line.tenant_id}:{line.id}",
        username=line.username,
        password=line.password,
        profile=profile.name,
        is_enabled=line.level != Level.BLOCKED,
    )


def _difference(lines: list[Line], wanted: Mapping[UUID, LineWanted], state: RouterState) -> Difference:
    profiles = {profile_of(line.level, line.download_kbps, line.upload_kbps) for line in lines}
    unconfirmed = {line.username for line in lines if not line.is_converged and line.applied_generation > 0}
    return difference(profiles=profiles, lines=wanted.values(), unconfirmed=unconfirmed, state=state)


@transaction.atomic
def _record(
    router_id: UUID,
    lines: list[Line],
    wanted: Mapping[UUID, LineWanted],
    state: RouterState,
    refused: Mapping[str, str],
    foreign: Collection[str],
) -> None:
    """Write what was seen. A line wished differently meanwhile keeps its newer wish, and the router is woken again.

    A line the router would not take is tried again at the next reading, not at once: it would refuse again.
    """
    spoken_of = {line.id: line for line in lines}
    at = clock.now()
    told, changed, is_outdated = [], [], False
    for line in Line.objects.select_for_update(no_key=True).filter(router_id=router_id).order_by("id"):
        before = spoken_of.get(line.id)
        if before is None:
            is_outdated = True  # opened while we were speaking
            continue
        is_outdated = is_outdated or line.generation != before.generation
        if line.username in refused or not right_now(wanted[line.id], state):
            line.last_error = _trouble(line, refused, foreign)[:200]
        elif line.applied_generation == before.generation and not line.last_error:
            continue
        else:
            if line.applied_level != before.level:
                event = AccessChanged(line_id=line.id, customer_id=line.customer_id, level=before.level)
                told.append((event, f"customer:{line.customer_id}"))
            line.applied_generation, line.applied_level = before.generation, before.level
            line.applied_at, line.last_error = at, ""
        changed.append(line)
    fields = ["applied_generation", "applied_level", "applied_at", "last_error"]
    Line.objects.bulk_update(changed, fields, batch_size=1000)
    emit_many(told)
    log.info("router.converged", tenant=str(tenancy.tenant_id()), router=str(router_id), changed=len(changed))
    if is_outdated:
        wake.on_commit("routers", [str(router_id)])


def _trouble(line: Line, refused: Mapping[str, str], foreign: Collection[str]) -> str:
    if line.username in foreign:
        return "The router has a line of this name that is not ours."
    return refused.get(line.username, "The router was written to and does not show it.")
