"""Making a router equal to what is wanted: read, compare, write, read again, and only then believe it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from billing.entitlement import Level
from ispbilling.kernel import clock, live, tenancy, wake
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.events import emit_many
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.postgres.connections import connection_release
from ispbilling.kernel.sets import rows_update
from network.convergence import Difference, difference, profile_of, profile_trouble, right_now
from network.drift import drift_of
from network.drivers.base import LineWanted, RouterDriver, RouterFacts, RouterState, SessionSeen, drivers
from network.events import AccessChanged
from network.models import FOREIGN_ROW, Acknowledgement, DriftPolicy, Line, Router
from network.selectors import router_is_resting
from network.services.devices import (
    contact_failed,
    contact_succeeded,
    fingerprint_of,
    lease_give,
    lease_take,
    target_of,
)
from network.services.drift import drifts_record
from network.services.sessions import sessions_record
from network.services.wall import wall_converge

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
        connection_release()


def _contact(router_id: UUID) -> str:
    with transaction.atomic():
        if router_is_resting(router_id):
            return "resting"
        router = Router.objects.get(id=router_id)
        lines = _lines_of(router.id)
    connection_release()
    try:
        with drivers.get(router.driver).connect(target_of(router)) as link:
            facts = link.describe()
            if _is_due(router, lines, facts):
                wall_converge(router_id=router.id, link=link)
                _converge(router, lines, link)
            seen = link.sessions()
            if _is_somebody_in_who_may_not(lines, seen):
                _converge(router, _lines_of(router.id), link)
                seen = link.sessions()
            sessions_record(router_id=router.id, seen=seen, uptime_s=facts.uptime_s)
            contact_succeeded(router_id=router.id, facts=facts, fingerprint=fingerprint_of(link))
    except (Retryable, Refused) as error:
        log.warning("router.away", router=router.name, error=str(error))
        contact_failed(router_id=router.id, error=str(error))
        return "away"
    return "done"


def _is_due(router: Router, lines: Sequence[Line], facts: RouterFacts) -> bool:
    """Whether all rows are read and compared in this contact: something is to be written, the router was away or
    restarted (what it had written last may be lost), or the last comparison is old. In between only sessions are read.
    """
    now = clock.machine_now()
    interval = timedelta(seconds=settings.AUDIT_INTERVAL_S)
    audit_due = router.audited_at is None or not timedelta(0) <= now - router.audited_at < interval
    is_restarted = router.uptime_s is not None and facts.uptime_s < router.uptime_s
    return audit_due or is_restarted or router.is_up is not True or any(not line.is_converged for line in lines)


def _is_somebody_in_who_may_not(lines: Sequence[Line], seen: Sequence[SessionSeen]) -> bool:
    """Whether a blocked line has a session: somebody let it in by hand."""
    blocked = {line.username for line in lines if line.level == Level.BLOCKED and line.is_converged}
    return any(session.username in blocked for session in seen)


def _converge(router: Router, lines: Sequence[Line], link: RouterDriver) -> None:
    wanted = {line.id: wanted_of(line) for line in lines}
    state = link.read()
    drifted = {line.id: text for line in lines if line.is_converged and (text := drift_of(wanted[line.id], state))}
    kept = frozenset(drifted) if router.drift_policy == DriftPolicy.KEEP else frozenset()
    found = _difference([line for line in lines if line.id not in kept], wanted, state)
    refused: Mapping[str, str] = {}
    if found.plan:
        failpoint("network.converge.before_apply")
        names = {line.id: line.username for line in state.lines.values()}
        refused = {names.get(key, key): text for key, text in link.apply(found.plan).refused.items()}
        failpoint("network.converge.after_apply")
        state = link.read()
    failpoint("network.converge.before_record")
    seen = Seen(lines, wanted, state, refused, found.foreign, kept)
    _record(router.id, seen)
    failpoint("network.converge.after_record")
    drifts_record(router_id=router.id, found=drifted, is_kept=bool(kept))


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one comparison: lines and wishes as they were then, and the router as read last.

    ``refused`` by user name, in the router's words; ``foreign``: names that rows of others have; ``kept``: lines that
    a hand changed and that are left so.
    """

    lines: Sequence[Line]
    wanted: Mapping[UUID, LineWanted]
    state: RouterState
    refused: Mapping[str, str]
    foreign: Collection[str]
    kept: Collection[UUID]


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
    wishes = [wanted[line.id] for line in lines]
    return difference(profiles=profiles, lines=wishes, unconfirmed=unconfirmed, state=state)


@transaction.atomic
def _record(router_id: UUID, seen: Seen) -> None:
    """Write what was seen. A line wished differently meanwhile keeps its newer wish, and the router is woken again.

    A line the router would not take is tried again at the next comparison, not at once: it would refuse again.
    """
    spoken_of = {line.id: line for line in seen.lines}
    at = clock.now()
    profiles = {profile_of(line.level, line.download_kbps, line.upload_kbps) for line in seen.lines}
    spoilt = {one.name: text for one in profiles if (text := profile_trouble(one, seen.state))}
    told, changed, proofs, is_outdated = [], [], [], False
    for line in Line.objects.select_for_update(no_key=True).filter(router_id=router_id).order_by("id"):
        before = spoken_of.get(line.id)
        if before is None:
            is_outdated = True  # opened while we were speaking
            continue
        is_outdated = is_outdated or line.generation != before.generation
        if line.id in seen.kept or line.applied_generation > before.generation:
            continue  # left as a hand changed it; or another writer saw a newer wish hold meanwhile
        wanted = seen.wanted[line.id]
        profile_error = spoilt.get(wanted.profile, "") if wanted.is_enabled else ""
        if line.username in seen.refused or profile_error or not right_now(wanted, seen.state):
            line.last_error = (profile_error or _trouble(line, seen.refused, seen.foreign))[:200]
        elif line.applied_generation == before.generation and not line.last_error:
            continue
        else:
            if line.applied_level != before.level:
                event = AccessChanged(line_id=line.id, customer_id=line.customer_id, level=before.level)
                told.append((event, f"customer:{line.customer_id}"))
            if line.applied_generation < before.generation:
                proofs.append(Acknowledgement.of(before, at))
            line.applied_generation, line.applied_level = before.generation, before.level
            line.applied_at, line.last_error = at, ""
        changed.append(line)
    fields = ["applied_generation", "applied_level", "applied_at", "last_error"]
    rows_update(changed, fields)
    # A writer that outlived its lease may have noted an older wish after a newer one: the newer is proven already.
    Acknowledgement.objects.bulk_create(proofs, ignore_conflicts=True)
    Router.objects.filter(id=router_id).update(audited_at=clock.machine_now())
    emit_many(told)
    if changed:
        live.say("routers")
    log.info("router.converged", tenant=str(tenancy.tenant_id()), router=str(router_id), changed=len(changed))
    if is_outdated:
        wake.on_commit("routers", [str(router_id)])


def _trouble(line: Line, refused: Mapping[str, str], foreign: Collection[str]) -> str:
    if line.username in foreign:
        return FOREIGN_ROW
    return refused.get(line.username, "The router was written to and does not show it.")
