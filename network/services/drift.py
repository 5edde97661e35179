"""What hands changed on routers: kept in a list, and put right when a person says so."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from ispbilling.kernel import audit, clock, tenancy, wake
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.ids import uuid7
from network.models import Drift, DriftPolicy, Line, Router


@transaction.atomic
def drifts_record(*, router_id: UUID, found: Mapping[UUID, str], is_kept: bool) -> None:
    """Write down what one comparison found: ``found`` says in words what a hand changed about a line.

    The same finding of the same line is one row that counts. Lines that are not in ``found`` any more are put right.
    """
    now = clock.machine_now()
    gone = Drift.objects.filter(router_id=router_id, outcome=Drift.Outcome.OPEN).exclude(line_id__in=list(found))
    gone.update(outcome=Drift.Outcome.CORRECTED)
    if not found:
        return
    lines = sorted(found)
    outcome = Drift.Outcome.OPEN if is_kept else Drift.Outcome.CORRECTED
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO network_drift AS d (id, tenant_id, router_id, line_id, found, outcome, times, first_seen_at,"
            " last_seen_at) SELECT f.id, %(tenant)s, %(router)s, f.line, f.text, %(outcome)s, 1, %(now)s, %(now)s"
            " FROM unnest(%(ids)s::uuid[], %(lines)s::uuid[], %(texts)s::text[]) AS f(id, line, text)"
            " ON CONFLICT (tenant_id, line_id, found) DO UPDATE SET outcome = excluded.outcome,"
            " times = d.times + CASE WHEN d.outcome = 'open' THEN 0 ELSE 1 END, last_seen_at = excluded.last_seen_at",
            {
                "tenant": tenancy.tenant_id_required(),
                "router": router_id,
                "outcome": outcome,
                "now": now,
                "ids": [uuid7() for _ in lines],
                "lines": lines,
                "texts": [found[line] for line in lines],
            },
        )


@transaction.atomic
def router_drift_policy_set(*, router_id: UUID, policy: str, actor: str) -> Router:
    """Whether changes by hand are put right at once or shown and left. Raises NotFound, DomainError."""
    router = _locked(router_id)
    if policy not in DriftPolicy.values:
        raise DomainError("router.drift_policy", "There is no such choice.")
    audit.record(
        actor=actor,
        verb="router.drift_policy",
        row=router,
        old={"drift_policy": router.drift_policy},
        new={"drift_policy": policy},
    )
    router.drift_policy = policy
    router.audited_at = None  # looked at afresh in the light of the new rule
    router.save(update_fields=["drift_policy", "audited_at"])
    wake.on_commit("routers", [str(router_id)])
    return router


@transaction.atomic
def router_drift_correct(*, router_id: UUID, actor: str) -> int:
    """Put right what hands changed and what was left so. Returns how many lines are written again. Raises NotFound.

    A line that is wished again is written whatever the router's rule is.
    """
    router = _locked(router_id)
    left = Drift.objects.filter(router_id=router_id, outcome=Drift.Outcome.OPEN).values("line_id")
    lines = Line.objects.select_for_update(no_key=True).filter(id__in=left).order_by("id")
    count: int = Line.objects.filter(id__in=[line.id for line in lines]).update(
        generation=F("generation") + 1, wished_at=clock.now()
    )
    audit.record(actor=actor, verb="router.drift_correct", row=router, new={"lines": count})
    wake.on_commit("routers", [str(router_id)])
    return count


def _locked(router_id: UUID) -> Router:
    router: Router | None = Router.objects.select_for_update(no_key=True).filter(id=router_id).first()
    if router is None:
        raise NotFound("router.unknown", "There is no such router.")
    return router
