"""What the network says of its health: routers that do not answer, and lines they have not written."""

from __future__ import annotations

from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ispbilling.kernel import health
from ispbilling.kernel.health import Asked, Detail, Finding, State
from ispbilling.kernel.templatetags.show import local_time
from network.models import Line, Router

SHOWN = 20


def register() -> None:
    health.register("routers", title=gettext_lazy("Routers"), order=40, check=routers, permission="routers:view")
    health.register(
        "lines", title=gettext_lazy("Lines a router refuses"), order=41, check=lines, permission="routers:view"
    )


def routers(asked: Asked) -> Finding:
    """Routers that failed at their last contact and rest until their next try."""
    behind = Line.objects.filter(router_id=OuterRef("id")).exclude(applied_generation=F("generation"))
    counted = behind.order_by().values("router_id").annotate(n=Count("id")).values("n")
    troubled = Router.objects.filter(is_enabled=True).filter(Q(is_up=False) | Q(failures__gt=0))
    waiting = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
    rows = list(troubled.annotate(waiting=waiting).order_by("name")[: SHOWN + 1])
    if not rows:
        return Finding(State.OK, _("Every router answered when it was asked last."))
    details = [_router(row, asked) for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        details.append(Detail(_("… and more."), State.BAD, reverse("network:routers")))
    text = _("Some routers do not answer.")
    todo = _("Look at their power and uplink. They are tried again by themselves, and catch up when they are back.")
    return Finding(State.BAD, text, todo, details)


def _router(row: Router, asked: Asked) -> Detail:
    behind: int = row.waiting  # type: ignore[attr-defined]
    words = {
        "name": row.name,
        "error": row.last_error or "–",
        "seen": local_time(row.last_seen_at, asked.zone),
        "next": local_time(row.retry_at, asked.zone),
        "lines": ngettext("%(n)d line waits", "%(n)d lines wait", behind) % {"n": behind},
    }
    text = _("%(name)s: %(error)s. Last answer %(seen)s, next try %(next)s, %(lines)s.") % words
    return Detail(text, State.BAD, reverse("network:routers"))


def lines(_asked: Asked) -> Finding:
    """Lines whose row a router that answers does not take, or that it does not keep."""
    rows = Line.objects.exclude(last_error="").select_related("router").order_by("username", "id")
    found = list(rows[: SHOWN + 1])
    if not found:
        return Finding(State.OK, _("No router refuses a line."))
    details = [
        Detail(
            f"{line.username} @ {line.router.name}: {line.last_error}",
            State.WARN,
            reverse("dashboard:customer", args=[line.customer_id]),
        )
        for line in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        details.append(Detail(_("… and more."), State.WARN))
    todo = _("Open the customer's page: it says what to do.")
    return Finding(State.WARN, _("Some lines are not on their router as they should be."), todo, details)
