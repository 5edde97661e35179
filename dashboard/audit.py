"""The audit, read back in words: who did what to which row, and what changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.permissions import role_has
from billing.models import Subscription
from customers.models import Customer
from ispbilling.kernel.models import AuditEntry
from ispbilling.kernel.templatetags.show import local_time, money, seconds
from network.models import Line

#: Names whose values are never shown, whatever was written under them.
_SECRET = re.compile(r"passw|secret|token|passkey|api_key|private|(^|_)key$", re.IGNORECASE)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
#: Names of sums, and how a sum is written down.
_MONEY = re.compile(r"(^|_)(amount|total|price|balance|cost)$")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
#: Longest value shown on the page; the export has all of it.
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Change:
    """One value, as text; an empty ``old`` or ``new`` was not said."""

    name: str
    old: str
    new: str

    @property
    def label(self) -> str:
        """The name as words: ``paid_at`` is “paid”."""
        return self.name.removesuffix("_at").removeprefix("is_").replace("_", " ")


@dataclass(frozen=True, slots=True)
class Told:
    """An entry in words. ``part`` is what of the system did it; ``url`` is its row's page, ``who_url`` that of whoever
    did it; empty where there is none."""

    entry: AuditEntry
    who: str
    who_url: str
    part: str
    row: str
    url: str
    changes: Sequence[Change]


def entries(filters: Mapping[str, Any], zone: ZoneInfo) -> QuerySet[AuditEntry]:
    """The entries a filter leaves: ``actor`` (whole, or a kind: ``system:``), ``verb`` (its beginning), ``row_type``,
    ``row_id``, ``since`` and ``until`` (days of the zone, both included)."""
    rows: QuerySet[AuditEntry] = AuditEntry.objects.all()
    actor = filters.get("actor")
    if actor:
        rows = rows.filter(actor__startswith=actor) if actor.endswith(":") else rows.filter(actor=actor)
    if filters.get("verb"):
        rows = rows.filter(verb__startswith=_verb_of(filters["verb"]))
    for name in ("row_type", "row_id"):
        if filters.get(name):
            rows = rows.filter(**{name: filters[name]})
    if filters.get("since"):
        rows = rows.filter(at__gte=datetime.combine(filters["since"], time(), tzinfo=zone))
    if filters.get("until"):
        rows = rows.filter(at__lt=datetime.combine(filters["until"] + timedelta(days=1), time(), tzinfo=zone))
    return rows


def _verb_of(typed: str) -> str:
    """A verb as it is written down, of one as pages show it (``show.deed``)."""
    return typed.strip().replace(" · ", ".").replace(" ", "_")


def told(found: Sequence[AuditEntry], *, role: str, zone: ZoneInfo, currency: str) -> list[Told]:
    """Entries in words, for whoever has this role: links lead only where he may go."""
    people = _people(found)
    customers = _customers(found)
    links = _links(found, people, role)
    answer = []
    for entry in found:
        who, who_url = _who(entry.actor, people, customers, role)
        row = f"{_noun(entry.row_type)} {_short(entry.row_id)}".strip()
        url = links.get((entry.row_type, entry.row_id), "")
        part = entry.actor.removeprefix("system:") if entry.actor.startswith("system:") else ""
        answer.append(Told(entry, who, who_url, part, row, url, _changes_shown(entry, zone, currency)))
    return answer


def changes_of(entry: AuditEntry, zone: ZoneInfo, *, longest: int = _LONGEST, currency: str = "") -> list[Change]:
    """What an entry says of each value, old and new; money as such where a currency is given."""
    names = [*entry.old, *(name for name in entry.new if name not in entry.old)]
    return [
        Change(
            name,
            _value(name, entry.old.get(name), zone, longest, currency),
            _value(name, entry.new.get(name), zone, longest, currency),
        )
        for name in names
    ]


def _changes_shown(entry: AuditEntry, zone: ZoneInfo, currency: str) -> list[Change]:
    """What did change: an entry may name what stayed as it was, or was never said."""
    shown = []
    for change in changes_of(entry, zone, currency=entry.new.get("currency") or currency):
        old, new = entry.old.get(change.name), entry.new.get(change.name)
        is_same = change.name in entry.old and change.name in entry.new and old == new
        if is_same or not (change.old or change.new):
            continue
        if change.old == change.new and _is_instant(old) and _is_instant(new):
            shown.append(Change(change.name, change.old + _seconds(old), change.new + _seconds(new)))
        else:
            shown.append(change)
    return shown


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and _INSTANT.match(value) is not None


def _seconds(text: str) -> str:
    return seconds(datetime.fromisoformat(text))


def _value(name: str, value: Any, zone: ZoneInfo, longest: int, currency: str) -> str:
    if value is None or value == "":
        return ""
    if _SECRET.search(name):
        return "***"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        text = ", ".join(_value("", item, zone, longest, currency) for item in value) or _("none")
    elif isinstance(value, dict):
        text = ", ".join(f"{key}: {_value(key, item, zone, longest, currency)}" for key, item in value.items())
    elif currency and isinstance(value, str) and _MONEY.search(name) and _DECIMAL.fullmatch(value):
        text = money(Decimal(value), currency)
    else:
        text = _instant(str(value), zone)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _instant(text: str, zone: ZoneInfo) -> str:
    if not _INSTANT.match(text):
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return local_time(at, zone) if at.tzinfo is not None else text


def _noun(row_type: str) -> str:
    try:
        return str(apps.get_model(row_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return row_type.rpartition(".")[2]


def _short(row_id: str) -> str:
    """The end of an id: those of one hour begin alike."""
    return f"…{row_id[-6:]}" if len(row_id) > 12 else row_id


def _ids(texts: Sequence[str]) -> set[UUID]:
    found = set()
    for text in texts:
        try:
            found.add(UUID(text))
        except ValueError:
            continue
    return found


def _people(found: Sequence[AuditEntry]) -> dict[str, Membership]:
    """User id → his membership here. Whoever never worked here has no name here either."""
    texts = [entry.actor[5:] for entry in found if entry.actor.startswith("user:")]
    texts += [entry.row_id for entry in found if entry.row_type == "accounts.user"]
    rows = Membership.objects.filter(user_id__in=_ids(texts)).select_related("user")
    return {str(row.user_id): row for row in rows}


def _customers(found: Sequence[AuditEntry]) -> dict[str, Customer]:
    texts = [entry.actor[9:] for entry in found if entry.actor.startswith("customer:")]
    return {str(row.id): row for row in Customer.objects.filter(id__in=_ids(texts))} if texts else {}


def _who(actor: str, people: Mapping[str, Membership], customers: Mapping[str, Customer], role: str) -> tuple[str, str]:
    kind, _colon, name = actor.partition(":")
    if kind == "user" and name in people:
        url = reverse("accounts:member", args=[people[name].id]) if role_has(role, "staff:edit") else ""
        return str(people[name].user), url
    if kind == "customer" and name in customers:
        url = reverse("dashboard:customer", args=[name]) if role_has(role, "customers:view") else ""
        return customers[name].name, url
    if kind == "system":
        return _("The system"), ""
    return f"{kind} {_short(name)}".strip(), ""


def _links(found: Sequence[AuditEntry], people: Mapping[str, Membership], role: str) -> dict[tuple[str, str], str]:
    """(row type, row id) → the page of that row, for those that have one the role may open."""
    ids: dict[str, list[str]] = {}
    for entry in found:
        ids.setdefault(entry.row_type, []).append(entry.row_id)
    links: dict[tuple[str, str], str] = {}
    if role_has(role, "customers:view"):
        owners = {"customers.customer": {str(one): str(one) for one in _ids(ids.get("customers.customer", []))}}
        for row_type, model in (("billing.subscription", Subscription), ("network.line", Line)):
            wanted = _ids(ids.get(row_type, []))
            rows: Any = model.objects.filter(id__in=wanted).values_list("id", "customer_id") if wanted else ()
            owners[row_type] = {str(one): str(customer) for one, customer in rows}
        for row_type, pairs in owners.items():
            links |= {(row_type, one): reverse("dashboard:customer", args=[owner]) for one, owner in pairs.items()}
    if role_has(role, "routers:view"):
        routers = _ids(ids.get("network.router", []))
        links |= {("network.router", str(one)): reverse("network:router", args=[one]) for one in routers}
    if role_has(role, "staff:edit"):
        members = _ids(ids.get("accounts.membership", []))
        links |= {("accounts.membership", str(one)): reverse("accounts:member", args=[one]) for one in members}
        links |= {("accounts.user", user): reverse("accounts:member", args=[row.id]) for user, row in people.items()}
    return links
