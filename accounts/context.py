"""What every page knows: theme, and the staff's navigation as far as their role goes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.permissions import role_has

_NAV = (
    (
        "operate",
        (
            ("dashboard:home", "layout-dashboard", "dashboard:view"),
            ("dashboard:customers", "users", "customers:view"),
        ),
    ),
    (
        "revenue",
        (
            ("payments:payments", "credit-card", "billing:view"),
            ("billing:cuts", "clock", "cuts:view"),
        ),
    ),
    (
        "network",
        (
            ("network:routers", "router", "routers:view"),
            ("network:wall", "shield-check", "routers:wall"),
        ),
    ),
    (
        "insight",
        (
            ("sms:messages", "message", "messages:view"),
            ("dashboard:health", "history", "health:view"),
            ("dashboard:events", "alert-triangle", "system:events"),
        ),
    ),
    (
        "house",
        (
            ("accounts:staff", "users", "staff:view"),
            ("accounts:roles", "shield-check", "staff:roles"),
            ("dashboard:audit", "history", "audit:view"),
            ("accounts:business", "settings", "settings:business"),
            ("billing:policy", "clock", "settings:policy"),
            ("payments:gateways", "credit-card", "settings:gateways"),
            ("sms:channels", "message", "settings:messages"),
        ),
    ),
)


def page(request: HttpRequest) -> dict[str, Any]:
    own = getattr(request.user, "theme", "") if getattr(request, "membership", None) is not None else ""
    theme = own or request.COOKIES.get("theme", "dark")
    return {"theme": theme if theme in ("dark", "light") else "dark", "nav": _nav(request)}


def _nav(request: HttpRequest) -> list[dict[str, Any]]:
    membership = getattr(request, "membership", None)
    if membership is None:
        return []
    titles = {
        "operate": _("Operate"),
        "revenue": _("Revenue"),
        "network": _("Network"),
        "insight": _("Insight"),
        "house": _("House"),
    }
    labels = {
        "dashboard:home": _("Home"),
        "dashboard:customers": _("Customers"),
        "payments:payments": _("Payments"),
        "billing:cuts": _("Cuts tonight"),
        "network:routers": _("Routers"),
        "network:wall": _("Behind the wall"),
        "sms:messages": _("Messages"),
        "dashboard:health": _("Health"),
        "dashboard:events": _("Parked events"),
        "accounts:staff": _("Staff"),
        "accounts:roles": _("Roles"),
        "dashboard:audit": _("Audit"),
        "accounts:business": _("Business"),
        "billing:policy": _("Suspension"),
        "payments:gateways": _("Gateways"),
        "sms:channels": _("Message accounts"),
    }
    here = request.resolver_match.view_name if request.resolver_match else ""
    groups = []
    for group, entries in _NAV:
        items = [
            {"label": labels[name], "url": reverse(name), "icon": icon, "active": here == name}
            for name, icon, permission in entries
            if role_has(membership.role, permission)
        ]
        if items:
            groups.append({"title": titles[group], "items": items})
    return groups
