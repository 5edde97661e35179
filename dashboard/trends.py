"""How business and network go over weeks and months: each part under the permission of what it shows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Tenant
from billing import figures as money
from customers import figures as people
from dashboard.tiles import Figure, change_of
from ispbilling.kernel import charts, clock, report_charts
from ispbilling.kernel.report_charts import Report
from ispbilling.kernel.templatetags.show import money as shown
from network import figures as net
from payments.providers.base import title_of

WEEKS_OF_HEAT = 4


@dataclass(frozen=True, slots=True)
class Span:
    """How far back one looks: ``count`` steps of a ``unit`` (day, week or month), of which the last is under way."""

    name: str
    title: str | Promise
    unit: str
    count: int

    def starts(self, today: date) -> list[date]:
        """The first day of each step, oldest first."""
        steps_ago = range(self.count - 1, -1, -1)
        if self.unit == "month":
            months = [today.year * 12 + today.month - 1 - ago for ago in steps_ago]
            return [date(month // 12, month % 12 + 1, 1) for month in months]
        if self.unit == "week":
            monday = today - timedelta(days=today.weekday())
            return [monday - timedelta(weeks=ago) for ago in steps_ago]
        return [today - timedelta(days=ago) for ago in steps_ago]

    def label(self, start: date) -> str:
        return formats.date_format(start, "M Y" if self.unit == "month" else "j M")


#: The first is what the page opens with.
SPANS = (
    Span("30d", gettext_lazy("30 days"), "day", 30),
    Span("13w", gettext_lazy("13 weeks"), "week", 13),
    Span("12m", gettext_lazy("12 months"), "month", 12),
)


def span_of(name: str) -> Span:
    """The span of that name, or the first."""
    return next((span for span in SPANS if span.name == name), SPANS[0])


def tabs(span: Span) -> list[dict[str, Any]]:
    here = reverse("dashboard:trends")
    return [{"url": f"{here}?span={one.name}", "label": one.title, "active": one is span} for one in SPANS]


def figures(tenant: Tenant, span: Span) -> list[Figure]:
    """What came in, from how many, and how much from each, beside the same time before."""
    now, begin = clock.now(), _begin(tenant, span)
    current = money.paid(begin=begin, end=now, currency=tenant.currency)
    before = money.paid(begin=begin - (now - begin), end=begin, currency=tenant.currency)
    each, each_before = (one.amount.amount / one.payers if one.payers else Decimal(0) for one in (current, before))
    times = ngettext("%(n)d payment", "%(n)d payments", current.times) % {"n": current.times}
    return [
        Figure(
            _("Collected"),
            shown(current.amount),
            "cash",
            "ok",
            _compared(current.amount.amount, before.amount.amount, times),
            url=reverse("payments:payments"),
        ),
        Figure(
            _("Customers who paid"),
            formats.number_format(current.payers, force_grouping=True),
            "users",
            "primary",
            _compared(current.payers, before.payers),
        ),
        Figure(
            _("Average per paying customer"),
            shown(each.quantize(Decimal("0.01")), tenant.currency),
            "coins",
            "info",
            _compared(each, each_before),
        ),
    ]


def revenue(tenant: Tenant, span: Span) -> Report:
    """What came in, step by step, by way of paying."""
    zone, currency = tenant.zone_info, tenant.currency
    rows = money.takings(begin=_begin(tenant, span), currency=currency, zone=zone, by=span.unit)
    by = {(row.method, row.day): row.amount.amount for row in rows}
    return _trend(
        _("Money by payment method, %(currency)s") % {"currency": currency},
        tenant,
        span,
        [(title_of(method), _taken(by, method)) for method in sorted({row.method for row in rows})],
        unit=currency,
        show=lambda value: shown(value, currency),
    )


def customers(tenant: Tenant, span: Span) -> Report:
    """Who came, and who ran out and stayed away."""
    zone, begin = tenant.zone_info, _begin(tenant, span)
    came = people.joined(begin=begin, zone=zone, by=span.unit)
    gone = people.lapsed(begin=begin, end=clock.now(), zone=zone, by=span.unit)
    named: list[tuple[str, Callable[[date], Any]]] = [
        (_("New customers"), lambda start: came.get(start, 0)),
        (_("Ran out and stayed away"), lambda start: gone.get(start, 0)),
    ]
    return _trend(_("Customers who came and who stayed away"), tenant, span, named, tones=("ok", "bad"), is_line=True)


def busy(tenant: Tenant) -> Report:
    """How many lines are online at each hour of the week."""
    values = net.online_by_hour(now=clock.machine_now(), zone=tenant.zone_info, weeks=WEEKS_OF_HEAT)
    monday = date(2024, 1, 1)
    days = [formats.date_format(monday + timedelta(days=number), "D") for number in range(7)]
    return report_charts.heat(
        _("Lines online by hour of the week"),
        _("Day"),
        days,
        [f"{hour:02d}" for hour in range(24)],
        [[None if value is None else round(value) for value in row] for row in values],
    )


def context(tenant: Tenant, granted: Collection[str], span: Span) -> dict[str, Any]:
    """Everything the page shows, as far as the viewer's permissions go."""
    with_money, with_lines = "billing:view" in granted, "pppoe:view" in granted
    return {
        "span": span,
        "tabs": tabs(span),
        "figures": figures(tenant, span) if with_money else [],
        "revenue": revenue(tenant, span) if with_money else None,
        "customers": customers(tenant, span),
        "busy": busy(tenant) if with_lines else None,
    }


def _begin(tenant: Tenant, span: Span) -> datetime:
    today = clock.today(tenant.zone_info)
    first = span.starts(today.date())[0]
    return datetime(first.year, first.month, first.day, tzinfo=tenant.zone_info)


def _taken(by: dict[tuple[str, date], Decimal], method: str) -> Callable[[date], Any]:
    return lambda start: by.get((method, start), 0)


def _trend(
    title: str,
    tenant: Tenant,
    span: Span,
    named: list[tuple[str, Callable[[date], Any]]],
    *,
    tones: tuple[str, ...] = (),
    **options: Any,
) -> Report:
    starts = span.starts(clock.today(tenant.zone_info).date())
    series = [
        charts.Series(name, [value_of(start) for start in starts], tone=tones[at] if tones else "")
        for at, (name, value_of) in enumerate(named)
    ]
    corner = {"day": _("Day"), "week": _("Week from"), "month": _("Month")}[span.unit]
    return report_charts.trend(title, corner, [span.label(start) for start in starts], series, **options)


def _compared(now: Any, before: Any, note: str = "") -> str:
    if not before:
        return note
    words = {"change": change_of(now, before), "note": note}
    return _("%(change)s than before, %(note)s") % words if note else _("%(change)s than before") % words
