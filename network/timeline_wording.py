"""The sentences of a customer's timeline, and how its chains end."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ispbilling.kernel.templatetags.show import local_time, money
from network.timeline import Chain, Kind, Step
from payments.providers.base import title_of

_CHANGES: dict[str, str | Promise] = {
    "create": gettext_lazy("Subscription opened"),
    "active": gettext_lazy("Subscription active, paid until %(until)s"),
    "extend": gettext_lazy("Subscription carried on, paid until %(until)s"),
    "grace": gettext_lazy("Ran out; kept online for now"),
    "suspended": gettext_lazy("Cut: not paid"),
    "ended": gettext_lazy("Subscription ended"),
    "gift": gettext_lazy("Days given for nothing, until %(until)s"),
    "gift_undo": gettext_lazy("Given days taken back, until %(until)s"),
    "stop": gettext_lazy("Suspended by staff, whatever is paid for"),
    "go_on": gettext_lazy("Let go on by staff, as it is paid for"),
}
_LEVELS: dict[str, str | Promise] = {
    "full": gettext_lazy("Router %(router)s lets the line in"),
    "throttled": gettext_lazy("Router %(router)s lets the line in, slowed"),
    "walled": gettext_lazy("Router %(router)s puts the line behind the wall"),
    "blocked": gettext_lazy("Router %(router)s keeps the line out"),
}


def step_sentence(step: Step, zone: ZoneInfo) -> str:
    """One step in words."""
    values = {name: "" if value is None else value for name, value in step.values.items()}
    amount = money(step.amount) if step.amount is not None else ""
    match step.kind:
        case Kind.RECEIPT:
            text = _("%(amount)s paid with %(method)s, receipt %(number)s")
            if not values["number"]:
                text = _("%(amount)s paid with %(method)s")
            return text % {**values, "method": title_of(str(values["method"])), "amount": amount}
        case Kind.BOOKED:
            return _("%(amount)s booked into the wallet") % {"amount": amount}
        case Kind.WALLET:
            if step.amount is not None and step.amount.amount < 0:
                return _("%(amount)s taken from the wallet: %(memo)s") % {"amount": money(-step.amount), **values}
            return _("%(amount)s put into the wallet: %(memo)s") % {"amount": amount, **values}
        case Kind.INVOICE:
            return _("Invoice %(number)s for %(amount)s") % {"amount": amount, **values}
        case Kind.SUBSCRIPTION:
            return _change(str(values["verb"]), step.values["expires_at"], zone)
        case Kind.HOLD:
            if not values["until"]:
                return _("No longer kept online by hand")
            words = {"until": _told(step.values["until"], zone), "why": values["reason"] or "–"}
            return _("Kept online by hand until %(until)s: %(why)s") % words
        case Kind.ACKNOWLEDGED:
            return str(_LEVELS[str(values["level"])]) % values
        case Kind.SESSION_STARTED:
            text = _("Connected as %(address)s, behind the wall") if values["is_walled"] else _("Online as %(address)s")
            return text % values
        case Kind.SESSION_STOPPED:
            text = _("Disconnected behind the wall, was %(address)s") if values["is_walled"] else ""
            return (text or _("Offline, was %(address)s")) % values
        case Kind.MESSAGE:
            if not values["text"]:
                return _("Message (%(state)s): a one-time code") % values
            return _("Message (%(state)s): %(text)s") % values


def _change(verb: str, until: object, zone: ZoneInfo) -> str:
    text = str(_CHANGES.get(verb, gettext_lazy("Subscription changed: %(verb)s")))
    return text % {"verb": verb, "until": _told(until, zone)}


def _told(at: object, zone: ZoneInfo) -> str:
    return local_time(at if isinstance(at, datetime) else None, zone)


def chain_sentence(chain: Chain) -> str:
    """How long the payer waited; empty while that is not known."""
    if chain.took is not None:
        return _("online after %(time)s") % {"time": _length(chain.took)}
    return _("was online all along") if chain.was_online else ""


def _length(took: timedelta) -> str:
    seconds = int(took.total_seconds())
    if seconds < 1:
        return _("less than a second")
    if seconds < 120:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = seconds // 60
    if minutes < 120:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    return ngettext("%(n)d hour", "%(n)d hours", minutes // 60) % {"n": minutes // 60}
