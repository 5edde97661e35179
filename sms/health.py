"""What messages say of their health: those of the last day that failed or whose outcome nobody knows."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ispbilling.kernel import clock, health
from ispbilling.kernel.health import Asked, Detail, Finding, State
from sms.models import Message

SPAN = timedelta(days=1)


def register() -> None:
    health.register("messages", title=gettext_lazy("Messages"), order=50, check=messages)


def messages(_asked: Asked) -> Finding:
    found = Message.objects.filter(created_at__gte=clock.now() - SPAN).aggregate(
        unknown=Count("id", filter=Q(state=Message.State.UNKNOWN)),
        failed=Count("id", filter=Q(state=Message.State.FAILED)),
    )
    url, details = reverse("sms:messages"), []
    if found["unknown"]:
        text = ngettext(
            "%(n)d message with an unknown outcome", "%(n)d messages with an unknown outcome", found["unknown"]
        )
        details.append(Detail(text % {"n": found["unknown"]}, State.WARN, url))
    if found["failed"]:
        text = ngettext("%(n)d message failed", "%(n)d messages failed", found["failed"])
        details.append(Detail(text % {"n": found["failed"]}, State.WARN, url))
    if not details:
        return Finding(State.OK, _("Every message of the last day was taken."))
    todo = _("Look at the errors: numbers that do not exist, or credit that has run out. Nothing is sent twice.")
    return Finding(State.WARN, _("Some messages of the last day did not arrive for certain."), todo, details)
