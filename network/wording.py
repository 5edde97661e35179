"""The sentences of ``network.why``: for staff with names and errors, for customers without, and what to do."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.entitlement import Level, Reason
from ispbilling.kernel.templatetags.show import local_time
from network.why import FAULTS, ONLINE, Answer, Code, Facts, Whole

#: Where he stands with us: begins the sentence.
_STANDINGS: dict[Reason, str | Promise] = {
    Reason.PAID: gettext_lazy("Paid until %(until)s"),
    Reason.GRACE: gettext_lazy("Ran out on %(expired)s, in grace until %(until)s"),
    Reason.HELD: gettext_lazy("Ran out on %(expired)s, kept online until %(until)s by %(by)s (%(why)s)"),
    Reason.QUIET: gettext_lazy("Ran out on %(expired)s, not cut before %(until)s (quiet hours)"),
    Reason.DUE: gettext_lazy("Ran out on %(expired)s, the cut is due"),
    Reason.UNPAID: gettext_lazy("Never paid"),
    Reason.EXPIRED: gettext_lazy("Not paid since %(expired)s, cut on %(cut)s"),
    Reason.ENDED: gettext_lazy("The subscription has ended"),
}
_STOPPED = gettext_lazy("Ran out on %(expired)s, the cut is due, but cuts are stopped since %(stopped)s (%(cause)s)")

#: What holds the router up: the part after "but".
_CAUSES: dict[Code, str | Promise] = {
    Code.ON_ITS_WAY: gettext_lazy("the change is only on its way to router %(router)s"),
    Code.EVENT_PARKED: gettext_lazy("the change is stuck in a parked event and has not reached router %(router)s"),
    Code.ROUTER_DISABLED: gettext_lazy("router %(router)s is switched off in this program"),
    Code.ROUTER_NEVER_REACHED: gettext_lazy("router %(router)s has never been reached"),
    Code.ROUTER_RESTING: gettext_lazy(
        "router %(router)s has not been told: it is away since %(seen)s, resting until %(next)s (%(error)s)"
    ),
    Code.ROUTER_AWAY: gettext_lazy("router %(router)s has not been told: it is away since %(seen)s (%(error)s)"),
    Code.WRITING: gettext_lazy("router %(router)s is only being told"),
    Code.ROUTER_REFUSES: gettext_lazy("router %(router)s refuses the row: “%(trouble)s”"),
    Code.FOREIGN_ROW: gettext_lazy("router %(router)s has a foreign row named “%(username)s”, which is left alone"),
    Code.DRIFT: gettext_lazy("router %(router)s no longer has the line as it was seen on %(applied)s: “%(trouble)s”"),
}

_TODOS: dict[Code, str | Promise] = {
    Code.ONLINE_DUE: gettext_lazy("The next run cuts the line unless money comes."),
    Code.ONLINE_CUTS_STOPPED: gettext_lazy("Look at “Coming cuts”: a person has to let the cuts go on."),
    Code.NO_SESSION: gettext_lazy(
        "Ask whether the customer's box has power and its cable, and dials as “%(username)s” with the right password."
    ),
    Code.ROUTER_SILENT: gettext_lazy("Look at the router's power and uplink."),
    Code.ON_ITS_WAY: gettext_lazy("Wait a few seconds. If it stays, look at the page “Health”."),
    Code.EVENT_PARKED: gettext_lazy("Open “Parked events”, mend what its error says, and try it again."),
    Code.ROUTER_DISABLED: gettext_lazy("Switch the router on again, or move the line to another."),
    Code.ROUTER_NEVER_REACHED: gettext_lazy("Check the router's address, user and password."),
    Code.ROUTER_RESTING: gettext_lazy(
        "Look at the router's power and uplink. It is tried again by itself and then told at once."
    ),
    Code.ROUTER_AWAY: gettext_lazy("Look at the router's power and uplink. It is being tried again."),
    Code.WRITING: gettext_lazy("Wait a few seconds. If it stays, look at the page “Health”."),
    Code.ROUTER_REFUSES: gettext_lazy("Mend on the router what its words name. It is tried again at the next reading."),
    Code.FOREIGN_ROW: gettext_lazy("Remove or rename that row on the router, or give the line another user name."),
    Code.DRIFT: gettext_lazy("Somebody changed it on the router: look who, and put it back."),
    Code.NEVER_PAID: gettext_lazy("Take the first payment: the line goes online within seconds."),
    Code.UNPAID: gettext_lazy("Take a payment: the line is back within seconds."),
    Code.NO_LINE: gettext_lazy("Open a line for this customer."),
}

_CUSTOMER: dict[Code, str | Promise] = {
    Code.ONLINE: gettext_lazy("You are online."),
    Code.ONLINE_GRACE: gettext_lazy("You are online. Your time ran out on %(expired)s: please pay before %(until)s."),
    Code.ONLINE_HELD: gettext_lazy("You are online. Your time ran out on %(expired)s; we keep you until %(until)s."),
    Code.ONLINE_QUIET: gettext_lazy("You are online. Your time ran out on %(expired)s: please pay before %(until)s."),
    Code.ONLINE_DUE: gettext_lazy("You are online. Your time ran out on %(expired)s: please pay now."),
    Code.NO_SESSION: gettext_lazy(
        "Your internet is ready, but your box is not connected to us. Please check its power and its cable."
    ),
    Code.NEVER_PAID: gettext_lazy("Pay, and you are online at once."),
    Code.UNPAID: gettext_lazy("Your internet ended on %(expired)s. Pay, and you are back at once."),
    Code.ENDED: gettext_lazy("Your plan has ended. Please call us."),
    Code.NO_LINE: gettext_lazy("You have no line here yet. Please call us."),
}
_CUSTOMER_SOON = gettext_lazy("You are being put online. This takes a few seconds.")
_CUSTOMER_TROUBLE = gettext_lazy("You are to be online, but something is wrong at our end. We are working on it.")


def sentence(answer: Answer, zone: ZoneInfo) -> str:
    """One sentence for staff."""
    facts = answer.facts
    if facts is None:
        return _("This customer has no line.")
    words = _words(facts, zone)
    standing = _standing(facts, zone)
    if answer.code in ONLINE:
        return _("%(standing)s; online since %(since)s.") % {**words, "standing": standing}
    if answer.code in FAULTS:
        return _("%(standing)s, but %(cause)s.") % {"standing": standing, "cause": str(_CAUSES[answer.code]) % words}
    if answer.code is Code.STILL_LET_IN:
        cause = str(_CAUSES[answer.cause or Code.WRITING]) % words
        return _("%(standing)s, but still let in: %(cause)s.") % {"standing": standing, "cause": cause}
    if answer.code is Code.ROUTER_SILENT:
        text = _("%(standing)s, but router %(router)s is away since %(seen)s: nobody can see whether they are online.")
        return text % {**words, "standing": standing}
    if answer.code is Code.NO_SESSION:
        text = _("%(standing)s and let in, but the box does not dial; it never did.")
        if facts.last_seen_at is not None:
            text = _("%(standing)s and let in, but the box has not dialled since %(offline)s.")
        return text % {**words, "standing": standing}
    if facts.entitlement.level == Level.WALLED:
        return _("%(standing)s: only the pay page can be reached.") % {"standing": standing}
    return _("%(standing)s: cannot connect.") % {"standing": standing}


def todo(answer: Answer) -> str:
    """What staff can do about it; empty when there is nothing."""
    text = _TODOS.get(answer.cause or answer.code, "")
    username = answer.facts.username if answer.facts is not None else ""
    return str(text) % {"username": username} if text else ""


def sentence_for_customer(answer: Answer, zone: ZoneInfo) -> str:
    """The same in the customer's words: no router, no error, nobody's name."""
    code = answer.code
    if code is Code.ONLINE_CUTS_STOPPED:
        code = Code.ONLINE_DUE
    if code is Code.STILL_LET_IN and answer.facts is not None:
        off = {Reason.UNPAID: Code.NEVER_PAID, Reason.EXPIRED: Code.UNPAID, Reason.ENDED: Code.ENDED}
        code = off[answer.facts.entitlement.reason]
    if code in FAULTS and answer.is_online:
        code = Code.ONLINE
    if code in (Code.ON_ITS_WAY, Code.WRITING):
        return str(_CUSTOMER_SOON)
    text = _CUSTOMER.get(code, _CUSTOMER_TROUBLE)
    return str(text) % (_words(answer.facts, zone) if answer.facts is not None else {})


def whole_sentence(whole: Whole, zone: ZoneInfo) -> str:
    """One sentence for a customer with any number of lines."""
    text = sentence(whole.answer, zone)
    living = whole.living
    if len(living) < 2:
        return text
    online = sum(one.answer.is_online for one in living)
    words = {"online": online, "all": len(living), "name": whole.spoken.username, "text": text}
    return _("%(online)d of %(all)d lines are online. %(name)s: %(text)s") % words


def whole_sentence_for_customer(whole: Whole, zone: ZoneInfo) -> str:
    text = sentence_for_customer(whole.answer, zone)
    if len(whole.living) < 2:
        return text
    return _("%(name)s: %(text)s") % {"name": whole.spoken.package, "text": text}


def _standing(facts: Facts, zone: ZoneInfo) -> str:
    reason = facts.entitlement.reason
    text = _STOPPED if reason is Reason.DUE and facts.stopped_at is not None else _STANDINGS[reason]
    return str(text) % _words(facts, zone)


def _words(facts: Facts, zone: ZoneInfo) -> dict[str, str]:
    def told(at: datetime | None) -> str:
        return local_time(at, zone)

    return {
        "until": told(facts.entitlement.until),
        "expired": told(facts.expired_at),
        "cut": told(facts.suspended_at),
        "by": facts.held_by or _("somebody"),
        "why": facts.hold_reason or "–",
        "stopped": told(facts.stopped_at),
        "cause": facts.stop_cause,
        "router": facts.router.name,
        "seen": told(facts.router.seen_at),
        "next": told(facts.router.rests_until),
        "error": facts.router.error or "–",
        "username": facts.username,
        "trouble": facts.trouble,
        "applied": told(facts.applied_at),
        "since": told(facts.online_since),
        "offline": told(facts.last_seen_at),
    }
