"""What billing says of its health: whether the book adds up, and whether cutting goes on."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.models import LedgerCheck, Receipt
from billing.selectors import cut_stop_open
from ispbilling.kernel import health
from ispbilling.kernel.health import Asked, Detail, Finding, State
from ispbilling.kernel.templatetags.show import local_time

#: The check runs every hour; one that is missing twice is missed.
CHECK_LATE = timedelta(hours=3)


def register() -> None:
    health.register("ledger", title=gettext_lazy("The book"), order=20, check=ledger)
    health.register("cuts", title=gettext_lazy("Cuts"), order=21, check=cuts, permission="cuts:view")
    health.register(
        "suspense", title=gettext_lazy("Money nobody claims"), order=22, check=suspense, permission="billing:view"
    )


def ledger(asked: Asked) -> Finding:
    """The last hourly comparison of every balance with its entries."""
    last: LedgerCheck | None = LedgerCheck.objects.first()
    if last is None:
        return Finding(
            State.WARN,
            _("The book has not been checked yet."),
            _("It is checked every hour. If this stays, look at the worker of the queue “default”."),
        )
    at = local_time(last.checked_at, asked.zone)
    if last.differences:
        text = ngettext(
            "On %(at)s the check found %(n)d difference, the first on %(since)s.",
            "On %(at)s the check found %(n)d differences, the first on %(since)s.",
            last.differences,
        ) % {"n": last.differences, "at": at, "since": local_time(last.bad_since, asked.zone)}
        words = _("%(what)s %(id)s: is %(is)s, should be %(should_be)s")
        details = [Detail(words % one, State.BAD) for one in last.found]
        todo = _("Do not correct it by hand. Keep a copy of the database and call whoever looks after this program.")
        return Finding(State.BAD, text, todo, details)
    if asked.at - last.checked_at > CHECK_LATE:
        text = _("The book was right on %(at)s and has not been checked since.") % {"at": at}
        return Finding(State.WARN, text, _("Look at the beat and at the worker of the queue “default”."))
    return Finding(State.OK, _("All balances match their entries, checked %(at)s.") % {"at": at})


def cuts(asked: Asked) -> Finding:
    stop = cut_stop_open()
    if stop is None:
        return Finding(State.OK, _("Cutting is not stopped."))
    words = {
        "at": local_time(stop.opened_at, asked.zone),
        "cause": stop.get_cause_display(),
        "n": stop.would_cut,
        "active": stop.of_active,
    }
    text = _("Cutting has been stopped since %(at)s: %(cause)s. Nobody is cut.") % words
    if stop.cause == stop.Cause.BRAKE:
        text = _("Cutting has been stopped since %(at)s: %(cause)s (%(n)d of %(active)d). Nobody is cut.") % words
    where = Detail(_("Coming cuts"), State.BAD, reverse("billing:cuts"))
    return Finding(State.BAD, text, _("Look whether the list is right, then let the cuts go on."), [where])


def suspense(_asked: Asked) -> Finding:
    waiting = Receipt.objects.filter(customer=None).count()
    if not waiting:
        return Finding(State.OK, _("All money that came in has its customer."))
    text = ngettext("%(n)d payment lies in suspense.", "%(n)d payments lie in suspense.", waiting) % {"n": waiting}
    where = Detail(_("Payments"), State.WARN, reverse("payments:payments"))
    return Finding(State.WARN, text, _("Find out whose money it is."), [where])
