"""Tables of the staff's pages."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import NEVER
from dashboard.selectors import CustomerRow
from ispbilling.kernel.templatetags.show import local_time, money, phone

TONES = {"active": "ok", "grace": "warn", "pending": "info", "suspended": "bad", "stopped": "bad", "ended": "muted"}


class CustomerTable(tables.Table):  # type: ignore[misc]
    """Customers with their plan and whether they are online. State stands second, where the eye looks."""

    chosen = tables.Column(verbose_name=_("Choose"), empty_values=(), attrs={"td": {"class": "choose"}})
    name = tables.Column(verbose_name=_("Customer"), empty_values=(), attrs={"td": {"class": "who-cell"}})
    state = tables.Column(verbose_name=_("State"), empty_values=())
    package = tables.Column(verbose_name=_("Package"))
    line = tables.Column(verbose_name=_("Line"), empty_values=())
    expires_at = tables.Column(verbose_name=_("Paid until"), empty_values=())
    balance = tables.Column(verbose_name=_("Balance"), attrs={"td": {"class": "num"}, "th": {"class": "num"}})
    phone = tables.Column(verbose_name=_("Phone"))

    class Meta:
        orderable = False
        attrs = {"class": "table table-cards"}

    def __init__(self, rows: list[CustomerRow], *args: Any, zone: str, may_choose: bool, **kwargs: Any) -> None:
        hidden = [] if may_choose else ["chosen"]
        if any(row.balance is None for row in rows):
            hidden.append("balance")
        super().__init__(rows, *args, exclude=hidden, **kwargs)
        self.zone = zone

    def render_chosen(self, record: CustomerRow) -> str:
        return format_html(
            '<input class="form-check-input" type="checkbox" name="id" value="{}" form="bulk" aria-label="{}">',
            record.customer.id,
            _("Choose %(code)s") % {"code": record.customer.code},
        )

    def render_name(self, record: CustomerRow) -> str:
        url = reverse("dashboard:customer", args=[record.customer.id])
        return format_html(
            '<span><a href="{}">{}</a> <span class="code">{}</span></span>',
            url,
            record.customer.name,
            record.customer.code,
        )

    def render_state(self, record: CustomerRow) -> str:
        customer = record.customer
        if customer.deleted_at is not None:
            return format_html('<span class="pill pill-muted">{}</span>', pgettext_lazy("customer", "Deleted"))
        tone, label = TONES.get(customer.standing, "muted"), customer.get_standing_display()
        return format_html('<span class="pill pill-{}">{}</span>', tone, label)

    def render_line(self, record: CustomerRow) -> str:
        if not record.line:
            return "–"
        tone, word = ("ok", _("online")) if record.is_online else ("muted", _("offline"))
        return format_html(
            '<span><span class="code">{}</span> <span class="t-{}">{}</span> <span class="muted">{}</span></span>',
            record.line,
            tone,
            word,
            record.router,
        )

    def render_phone(self, value: str) -> str:
        return phone(value)

    def render_expires_at(self, record: CustomerRow) -> str:
        until = record.customer.paid_until
        return local_time(None if until >= NEVER else until, self.zone)

    def render_balance(self, value: Any) -> str:
        return money(value)
