"""What the home page shows, part by part: each part under the permission of what it shows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Tenant
from billing import figures as money
from billing.selectors import cut_stop_open, cuts_coming, rules_current
from dashboard.tiles import Figure, change_of
from ispbilling.kernel import charts, clock, health
from ispbilling.kernel.templatetags.show import money as shown
from network import figures as net
from network.selectors import line_counts, online_count, sessions_found
from payments.providers.base import title_of

SPARK_DAYS = 14
REVENUE_DAYS = 30
DUE_DAYS = 3
ROWS = 6


@dataclass(frozen=True, slots=True)
class Part:
    """A place on the page. ``words`` make it load anew; ``wide`` parts stand in the broad column."""

    name: str
    title: str | Promise
    permission: str
    words: tuple[str, ...]
    is_wide: bool = False

    @property
    def url(self) -> str:
        return reverse(f"dashboard:home_{self.name}")

    @property
    def trigger(self) -> str:
        return ", ".join(["load", *(f"live:{word} from:body" for word in self.words)])


#: In the order in which they stand in their column.
PARTS = (
    Part("revenue", gettext_lazy("Revenue, last 30 days"), "billing:view", ("payments",), is_wide=True),
    Part("sessions", gettext_lazy("Live sessions"), "pppoe:view", ("sessions",), is_wide=True),
    Part("due", gettext_lazy("Running out soon"), "billing:view", ("payments", "cuts"), is_wide=True),
    Part("alerts", gettext_lazy("Alerts"), "dashboard:view", ("alerts",)),
    Part("cuts", gettext_lazy("Coming cuts"), "cuts:view", ("cuts", "payments")),
    Part("waits", gettext_lazy("From paid to online"), "billing:view", ("payments", "routers")),
)


def parts_for(granted: Collection[str]) -> list[Part]:
    return [part for part in PARTS if part.permission in granted]


@dataclass(frozen=True, slots=True)
class Figures:
    """The tiles a role may see, and the words that make them load anew."""

    tiles: list[Figure] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def trigger(self) -> str:
        return ", ".join(["every 120s", *(f"live:{word} from:body" for word in self.words)])


def figures(tenant: Tenant, granted: Collection[str]) -> Figures:
    """Who is online, what came in today, what runs out, what is down: as far as the role goes."""
    tiles: tuple[tuple[str, str, Callable[[Tenant], list[Figure]]], ...] = (
        ("pppoe:view", "sessions", _online),
        ("billing:view", "payments", _money),
        ("routers:view", "routers", _routers),
    )
    found = Figures()
    for permission, word, make in tiles:
        if permission in granted:
            found.tiles.extend(make(tenant))
            found.words.append(word)
    return found


def _online(_tenant: Tenant) -> list[Figure]:
    lines, count = sum(every for every, _waiting in line_counts().values()), online_count()
    # The past is looked at by the full hour, so that a page that is opened again finds it.
    hour = clock.machine_now().replace(minute=0, second=0, microsecond=0)
    past = net.online_at([hour - timedelta(days=ago) for ago in range(SPARK_DAYS, 0, -1)])
    note = ngettext("of %(n)s line", "of %(n)s lines", lines) % {"n": formats.number_format(lines, force_grouping=True)}
    if past[-1]:
        note = _("%(change)s since yesterday, %(note)s") % {"change": change_of(count, past[-1]), "note": note}
    value = formats.number_format(count, force_grouping=True)
    spark = charts.spark([*past, count]) if any(past) else None
    return [Figure(_("Online now"), value, "activity", "primary", note, spark=spark, url=reverse("network:sessions"))]


def _money(tenant: Tenant) -> list[Figure]:
    zone, currency, now = tenant.zone_info, tenant.currency, clock.now()
    today = clock.today(zone)
    rows = money.takings(begin=today - timedelta(days=SPARK_DAYS), currency=currency, zone=zone)
    days = [(today - timedelta(days=ago)).date() for ago in range(SPARK_DAYS, -1, -1)]
    sums = [sum((row.amount.amount for row in rows if row.day == day), start=0) for day in days]
    count = sum(row.count for row in rows if row.day == days[-1])
    yesterday = money.taken_between(
        begin=today - timedelta(days=1), end=now - timedelta(days=1), currency=currency
    ).amount
    note = ngettext("%(n)d payment", "%(n)d payments", count) % {"n": count}
    if yesterday:
        words = {"change": change_of(sums[-1], yesterday), "note": note}
        note = _("%(change)s than yesterday by now, %(note)s") % words
    taken = Figure(
        _("Collected today"),
        shown(sums[-1], currency),
        "cash",
        "ok",
        note,
        spark=charts.spark(sums, tone="ok") if any(sums) else None,
        url=reverse("payments:payments"),
    )
    due = money.due(at=now, days=DUE_DAYS, shown=SPARK_DAYS, currency=currency, zone=zone)
    ahead = [due.by_day.get((now + timedelta(days=day)).astimezone(zone).date(), 0) for day in range(SPARK_DAYS)]
    note = ngettext("%(n)d customer", "%(n)d customers", due.customers) % {"n": due.customers}
    spark = charts.spark(ahead, tone="warn") if any(ahead) else None
    return [taken, Figure(_("Due in 3 days"), shown(due.amount), "file-invoice", "warn", note, spark=spark)]


def _routers(_tenant: Tenant) -> list[Figure]:
    boxes = net.routers_down()
    value = _("%(down)d of %(all)d") % {"down": boxes.down, "all": boxes.all}
    note = _("All routers answer") if boxes.all else _("No router is entered")
    if boxes.down:
        note = ", ".join(boxes.names) + (" …" if boxes.down > len(boxes.names) else "")
    tone = "bad" if boxes.down else "ok"
    icon = "alert-triangle" if boxes.down else "router"
    return [Figure(_("Routers down"), value, icon, tone, note, url=reverse("network:routers"))]


def revenue(tenant: Tenant, granted: Collection[str]) -> dict[str, Any]:
    """Money of the last thirty days, stacked by method."""
    zone, currency = tenant.zone_info, tenant.currency
    today = clock.today(zone)
    rows = money.takings(begin=today - timedelta(days=REVENUE_DAYS - 1), currency=currency, zone=zone)
    days = [(today - timedelta(days=ago)).date() for ago in range(REVENUE_DAYS - 1, -1, -1)]
    by = {(row.method, row.day): row.amount.amount for row in rows}
    series = [
        charts.Series(title_of(method), [by.get((method, day), 0) for day in days])
        for method in sorted({row.method for row in rows})
    ]
    labels = [formats.date_format(day, "j M") for day in days]
    chart = charts.bars(
        _("Revenue by day and payment method"), labels, series, show=lambda value: shown(value, currency)
    )
    trends_url = reverse("dashboard:trends") if "trends:view" in granted else ""
    return {"chart": chart, "sum": shown(sum(by.values()), currency), "has_any": bool(rows), "trends_url": trends_url}


def sessions() -> dict[str, Any]:
    """Who came online last."""
    rows = sessions_found("").select_related("line__subscription__package").order_by("-started_at", "-id")
    return {"sessions": list(rows[: ROWS + 2]), "online": online_count(), "now": clock.machine_now()}


def alerts(tenant: Tenant, granted: Collection[str]) -> dict[str, Any]:
    """What is not in order, worst first, as far as the role may see it."""
    asked = health.Asked(clock.machine_now(), tenant.zone_info)
    found = [one for one in health.results(asked, granted) if one.finding.state is not health.State.OK]
    found.sort(key=lambda one: -one.finding.state.severity)
    all_url = reverse("dashboard:health") if "health:view" in granted else ""
    told = []
    for one in found:
        details = [detail for detail in one.finding.details if detail.state is not health.State.OK]
        url = next((detail.url for detail in details if detail.url), "") or all_url
        told.append({"title": one.finding.sentence, "text": details[0].text if details else one.finding.todo,
                     "tone": str(one.finding.state), "url": url})  # fmt: skip
    # Who may not see health is not told of most checks: that nothing is found says less then.
    is_whole = "health:view" in granted
    return {"alerts": told[:ROWS], "more": max(len(told) - ROWS, 0), "all_url": all_url, "is_whole": is_whole}


def cuts() -> dict[str, Any]:
    """Who is cut within a day, and whether anybody is."""
    coming, has_more = cuts_coming(rules=rules_current(), within=timedelta(hours=24), limit=200)
    cut = [one for one in coming if not one.is_covered and one.subscription.held_until is None]
    return {
        "stop": cut_stop_open(),
        "coming": coming[:ROWS],
        "count": len(cut),
        "covered": sum(one.is_covered for one in coming),
        "has_more": has_more,
    }


def due() -> dict[str, Any]:
    """Whose line runs out within three days."""
    rows = money.running_out(at=clock.now(), days=DUE_DAYS, limit=ROWS + 1)
    return {"rows": rows[:ROWS], "has_more": len(rows) > ROWS}


def waits() -> dict[str, Any]:
    """How long payers of the last day waited for their line."""
    return {"waits": net.paid_to_online(since=clock.now() - timedelta(days=1))}
