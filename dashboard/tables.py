"""Tables of the staff's pages."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription
from dashboard.selectors import CustomerRow
from ispbilling.kernel.templatetags.show import local_time, phone

TONES = {"active": "ok", "grace": "warn", "pending": "info", "suspended": "bad", "ended": "muted"}


class CustomerTable(tables.Table):  # type: ignore[misc]
    """Customers with their plan and whether they are online. State stands second, where the eye looks."""

    name = tables.Column(verbose_name=_("Customer"), empty_values=())
    state = tables.Column(verbose_name=_("State"))
    phone = tables.Column(verbose_name=_("Phone"))
    package = tables.Column(verbose_name=_("Package"))
    expires_at = tables.Column(verbose_name=_("Paid until"), empty_values=())
    online = tables.Column(verbose_name=_("Online"), empty_values=())

    class Meta:
        orderable = False
        attrs = {"class": "table"}

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def render_name(self, record: CustomerRow) -> str:
        url = reverse("dashboard:customer", args=[record.customer.id])
        return format_html(
            '<a href="{}">{}</a> <span class="code">{}</span>', url, record.customer.name, record.customer.code
        )

    def render_state(self, value: str) -> str:
        label = Subscription.State(value).label
        return format_html('<span class="pill pill-{}">{}</span>', TONES.get(value, "muted"), label)

    def render_phone(self, value: str) -> str:
        return phone(value)

    def render_expires_at(self, record: CustomerRow) -> str:
        return local_time(record.expires_at, self.zone)

    def render_online(self, record: CustomerRow) -> str:
        return format_html(
            '<span class="pill pill-{}">{}</span>',
            *(("ok", _("online")) if record.is_online else ("muted", _("offline"))),
        )
