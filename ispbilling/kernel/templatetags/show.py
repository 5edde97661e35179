"""How values are shown: money, instants, phones and bytes pass through these filters only."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy, ngettext, pgettext

from ispbilling.kernel import phone as phones
from ispbilling.kernel.money import Money

register = template.Library()


@register.filter
def money(value: Any, currency: str = "") -> str:
    """``{{ payment.amount|money:payment.currency }}`` → ``KES 1,499.00``."""
    if value is None or value == "":
        return "–"
    amount = value if isinstance(value, Money) else Money(Decimal(value), currency)
    digits = -int(amount.amount.as_tuple().exponent)
    return f"{amount.currency} {formats.number_format(amount.amount, decimal_pos=digits, force_grouping=True)}"


@register.filter
def local_time(value: datetime | None, zone: str | ZoneInfo = "UTC") -> str:
    """An instant in the tenant's zone: ``24 Nov 2026, 18:05``."""
    if value is None:
        return "–"
    there = timezone.localtime(value, zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone))
    return formats.date_format(there, "j M Y, H:i")


@register.filter
def seconds(value: datetime) -> str:
    """The seconds of an instant, to stand behind ``local_time`` where their order matters: ``:07``."""
    return f":{value.second:02d}"


@register.filter
def deed(verb: str) -> str:
    """A verb of the audit as words: ``router · drift policy``."""
    return verb.replace(".", " · ").replace("_", " ")


@register.filter
def phone(value: str | None) -> str:
    """E.164 as people of that country write it."""
    return phones.local(value) if value else "–"


_COUNTRIES = {
    "BD": gettext_lazy("Bangladesh"), "GH": gettext_lazy("Ghana"), "IN": gettext_lazy("India"),
    "KE": gettext_lazy("Kenya"), "NG": gettext_lazy("Nigeria"), "PH": gettext_lazy("Philippines"),
    "RW": gettext_lazy("Rwanda"), "TZ": gettext_lazy("Tanzania"), "UG": gettext_lazy("Uganda"),
    "ZA": gettext_lazy("South Africa"), "ZM": gettext_lazy("Zambia"),
}  # fmt: skip


@register.filter
def country_name(code: str) -> str:
    """``KE`` → ``Kenya``; the code itself for a country without a name here."""
    return str(_COUNTRIES.get(code, code))


@register.filter
def data_size(value: int | None) -> str:
    """Bytes in decimal units, as providers count: ``1.5 GB``."""
    if value is None:
        return "–"
    size = Decimal(value)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size.quantize(Decimal('0.1')) if unit != 'B' else size} {unit}"
        size /= 1000
    return f"{size} TB"


@register.filter
def length_of(count: int, unit: str) -> str:
    """A length of time in words: ``3 months``."""
    words = {
        "minute": ngettext("%(n)d minute", "%(n)d minutes", count),
        "hour": ngettext("%(n)d hour", "%(n)d hours", count),
        "day": ngettext("%(n)d day", "%(n)d days", count),
        "month": ngettext("%(n)d month", "%(n)d months", count),
    }
    return words[unit] % {"n": count}


@register.filter
def waited(value: timedelta | None) -> str:
    """A short length of time, to the second: ``3 min 20 s``."""
    if value is None:
        return "–"
    total = max(round(value.total_seconds()), 0)
    words = {"m": total // 60, "s": total % 60}
    if total < 60:
        return pgettext("length of time", "%(s)d s") % words
    if total < 3600:
        return pgettext("length of time", "%(m)d min %(s)02d s") % words
    return lasting_of(value)


@register.filter
def lasting(begin: datetime | None, end: datetime | None) -> str:
    """From one instant to another, to the minute: ``2 h 05 min``, ``< 1 min``."""
    if begin is None or end is None:
        return "–"
    minute = timedelta(minutes=1)
    return f"< {lasting_of(minute)}" if end - begin < minute else lasting_of(end - begin)


def lasting_of(length: timedelta) -> str:
    """``4 min``, ``2 h 05 min``, ``3 d 4 h``."""
    minutes = max(int(length.total_seconds()), 0) // 60
    words = {"d": minutes // 1440, "h": minutes // 60, "m": minutes % 60, "rest": minutes // 60 % 24}
    if minutes < 60:
        return pgettext("length of time", "%(m)d min") % words
    if minutes < 1440:
        return pgettext("length of time", "%(h)d h %(m)02d min") % words
    return pgettext("length of time", "%(d)d d %(rest)d h") % words


@register.filter
def speed(kbps: int | None) -> str:
    """Kilobits per second: ``10 Mbps``."""
    if not kbps:
        return "–"
    return f"{Decimal(kbps) / 1000:g} Mbps" if kbps >= 1000 else f"{kbps} kbps"


@register.filter
def initials(name: Any) -> str:
    """Two letters for a face nobody has drawn: ``EA`` for Esther Auma and for ``esther.auma@…``."""
    words = str(name).split("@")[0].replace(".", " ").split()
    first = words[0] if words else "?"
    return (first[0] + words[-1][0] if len(words) > 1 else first[:2]).upper()


_LEVEL_TONES = {"full": "ok", "throttled": "warn", "walled": "warn", "blocked": "bad"}
_STATE_TONES = {
    **dict.fromkeys(("succeeded", "accepted", "delivered", "active", "paid"), "ok"),
    **dict.fromkeys(("pending", "initiated", "queued", "sending"), "info"),
    **dict.fromkeys(("unknown", "grace", "expired"), "warn"),
    **dict.fromkeys(("failed", "cancelled", "suspended"), "bad"),
}


@register.filter
def level_tone(level: str) -> str:
    """The colour of an entitlement's level; the word always stands beside it."""
    return _LEVEL_TONES.get(str(level), "muted")


@register.filter
def state_tone(state: str) -> str:
    """The colour of a lifecycle's state; the word always stands beside it."""
    return _STATE_TONES.get(str(state), "muted")
