"""What payments say of their health: gateways that owe an answer."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ispbilling.kernel import health
from ispbilling.kernel.health import Asked, Detail, Finding, State
from ispbilling.kernel.templatetags.show import local_time
from payments.models import PaymentAttempt
from payments.selectors import gateways_silent

#: A phone asks for its PIN for a minute or two: what is open longer is not the payer's doing.
UNCLEAR_AFTER = timedelta(minutes=15)


def register() -> None:
    health.register("gateways", title=gettext_lazy("Gateways"), order=29, check=silent, permission="billing:view")
    health.register(
        "payments",
        title=gettext_lazy("Payments without an answer"),
        order=30,
        check=unclear,
        permission="billing:view",
    )


def silent(asked: Asked) -> Finding:
    """Gateways that used to speak and do not: money may have been paid that nobody told us of."""
    found = gateways_silent()
    if not found:
        return Finding(State.OK, _("Every gateway answers."))
    words = _("%(label)s: last heard %(at)s")
    details = [
        Detail(words % {"label": one.label, "at": local_time(one.heard_at, asked.zone)}, State.BAD) for one in found
    ]
    text = _("A gateway does not answer. Nobody is cut for money that may be on its way.")
    return Finding(State.BAD, text, _("Look at this server's internet, then at the gateway's own notices."), details)


def unclear(asked: Asked) -> Finding:
    """Attempts still being asked for long after they began."""
    rows = PaymentAttempt.objects.filter(next_query_at__isnull=False, started_at__lt=asked.at - UNCLEAR_AFTER)
    count = rows.count()
    if not count:
        return Finding(State.OK, _("No payment waits unusually long for its gateway."))
    text = ngettext(
        "For %(n)d payment the gateway has not said how it ended.",
        "For %(n)d payments the gateway has not said how they ended.",
        count,
    ) % {"n": count}
    where = Detail(_("Payments"), State.WARN, reverse("payments:payments"))
    return Finding(State.WARN, text, _("They are asked for by themselves. Do not ask customers to pay again."), [where])
