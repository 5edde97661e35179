"""Routers: tried, woken, and what is known of them after a contact."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from ispbilling.kernel import audit, clock, holders, live, wake
from ispbilling.kernel.errors import NotFound, Refused, Retryable
from ispbilling.kernel.events import emit
from network.drivers.base import RouterDriver, RouterFacts, Target, drivers
from network.events import RouterCameUp, RouterWentDown
from network.models import Router


def target_of(router: Router) -> Target:
    return Target(
        host=router.host,
        port=router.port,
        username=router.username,
        password=router.password,
        use_tls=router.use_tls,
        tls_fingerprint=router.tls_fingerprint,
    )


def router_check(*, router_id: UUID) -> RouterFacts:
    """Connect, ask who it is, remember it. Call outside a transaction. Raises NotFound, Retryable, Refused."""
    with transaction.atomic():
        router = Router.objects.filter(id=router_id).first()
    if router is None:
        raise NotFound("router.unknown", "There is no such router.")
    try:
        with drivers.get(router.driver).connect(target_of(router)) as link:
            facts = link.describe()
            contact_succeeded(router_id=router.id, facts=facts, fingerprint=fingerprint_of(link))
    except (Retryable, Refused) as error:
        contact_failed(router_id=router.id, error=str(error))
        raise
    return facts


def fingerprint_of(link: RouterDriver) -> str:
    """The certificate's fingerprint, where the connection has one."""
    return str(getattr(link, "fingerprint", "") or "")


@transaction.atomic
def contact_succeeded(*, router_id: UUID, facts: RouterFacts | None = None, fingerprint: str = "") -> None:
    """A router answered: it is up, and its back-off is over."""
    router = Router.objects.select_for_update(no_key=True).get(id=router_id)
    was_up = router.is_up
    router.is_up, router.last_seen_at, router.last_error = True, clock.machine_now(), ""
    router.failures, router.retry_at = 0, None
    if facts is not None:
        router.version, router.board, router.uptime_s = facts.version[:60], facts.board[:60], facts.uptime_s
    if router.use_tls and fingerprint and not router.tls_fingerprint:
        router.tls_fingerprint = fingerprint
    router.save()
    if was_up is not True:
        emit(RouterCameUp(router_id=router.id, name=router.name), key=f"router:{router.id}")
        live.say("routers", "sessions", "alerts")


@transaction.atomic
def contact_failed(*, router_id: UUID, error: str) -> None:
    """A router did not answer: it is left alone for a while, twice as long each time (``selectors.routers_due``)."""
    router = Router.objects.select_for_update(no_key=True).get(id=router_id)
    was_up = router.is_up
    router.is_up, router.last_error = False, error[:200]
    router.failures += 1
    router.failed_at = clock.machine_now()
    router.retry_at = router.failed_at + min(timedelta(seconds=2 ** min(router.failures, 10)), Router.BACK_OFF_MAX)
    router.save(update_fields=["is_up", "last_error", "failures", "failed_at", "retry_at"])
    if was_up is True:
        emit(
            RouterWentDown(router_id=router.id, name=router.name, error=router.last_error),
            key=f"router:{router.id}",
        )
        live.say("routers", "sessions", "alerts")


@transaction.atomic
def router_wake(*, router_id: UUID) -> None:
    """Have a router converged soon."""
    wake.on_commit("routers", [str(router_id)])


@transaction.atomic
def router_try(*, router_id: UUID, actor: str) -> Router:
    """Speak to a router and compare all its rows now, whatever it is resting from. Raises NotFound."""
    router: Router | None = Router.objects.select_for_update(no_key=True).filter(id=router_id).first()
    if router is None:
        raise NotFound("router.unknown", "There is no such router.")
    router.retry_at, router.audited_at = None, None
    router.save(update_fields=["retry_at", "audited_at"])
    audit.record(actor=actor, verb="router.try", row=router)
    wake.on_commit("routers", [str(router_id)])
    return router


@transaction.atomic
def lease_take(*, router_id: UUID) -> UUID | None:
    """Become the router's one writer; None while somebody else is."""
    row = Router.objects.filter(id=router_id, is_enabled=True).values_list("lease", "lease_holder").first()
    if row is None:
        return None
    held, holder = row
    free = Q(lease=None) | clock.has_come("lease_until", longest=Router.LEASE)
    if held is not None and holders.is_left_behind(holder, held):
        free |= Q(lease=held)
    lease, until = uuid4(), clock.machine_now() + Router.LEASE
    holders.hold(lease)
    taken = Router.objects.filter(free, id=router_id, is_enabled=True).update(
        lease=lease, lease_holder=holders.me(), lease_until=until
    )
    if not taken:
        holders.let_go(lease)
    return lease if taken else None


@transaction.atomic
def lease_give(*, router_id: UUID, lease: UUID) -> None:
    """Let the next writer in. Where the database is away just then, ``kernel.holders`` tells the next one."""
    holders.let_go(lease)
    Router.objects.filter(id=router_id, lease=lease).update(lease=None, lease_until=None)
