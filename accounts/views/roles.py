"""What each role may do here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.models import Role
from accounts.permissions import FIXED, PERMISSIONS, permissions_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError

#: What stands elsewhere in the table than its name says.
_AREAS = {"pppoe:edit": "customers", "pppoe:delete": "customers"}


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("staff:roles")
def roles(request: HttpRequest) -> HttpResponse:
    """The table of permissions and roles, with this tenant's own ticks."""
    by: Any = request.membership  # type: ignore[attr-defined]
    if request.method == "POST":
        shown = set(request.POST.get("shown", "").split()) & set(PERMISSIONS)
        ticks = [tick.partition(" ") for tick in request.POST.getlist("grant")]
        try:
            count = services.role_overrides_set(
                granted={(role, name) for role, _space, name in ticks},
                shown=shown,
                by=by,
                actor=services.actor_of(request.user.id),  # type: ignore[arg-type]
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            said = ngettext("%(n)d tick is changed.", "%(n)d ticks are changed.", count)
            messages.success(request, said % {"n": count})
        return redirect("accounts:roles")
    return render(request, "accounts/roles.html", _table(by))


def _table(by: Any) -> dict[str, Any]:
    own = permissions_of(by.role)
    held = {role: permissions_of(role) for role in Role.values}
    areas: dict[str, list[dict[str, Any]]] = {}
    for name, permission in PERMISSIONS.items():
        cells = [
            {
                "value": f"{role} {name}",
                "label": f"{Role(role).label}: {permission.sentence}",
                "is_on": name in held[role],
                "is_own_word": (name in held[role]) != (role in permission.roles),
                "is_fixed": role == Role.OWNER or name in FIXED or name not in own,
            }
            for role in Role.values
        ]
        areas.setdefault(_AREAS.get(name, name.partition(":")[0]), []).append(
            {"permission": permission, "cells": cells}
        )
    titles = {
        "account": _("Account"),
        "dashboard": _("Home"),
        "customers": _("Customers"),
        "billing": _("Money"),
        "finance": _("Money"),
        "invoices": _("Invoices"),
        "receipts": _("Receipts"),
        "payments": _("Payments"),
        "packages": _("Packages"),
        "cuts": _("Cuts"),
        "pppoe": _("Lines"),
        "routers": _("Routers"),
        "sessions": _("Sessions"),
        "messages": _("Messages"),
        "staff": _("Staff"),
        "settings": _("Settings"),
        "trends": _("Trends"),
        "keys": _("API keys"),
        "audit": _("System"),
        "health": _("System"),
        "system": _("System"),
    }
    groups: dict[str, list[dict[str, Any]]] = {}
    for area, rows in areas.items():
        groups.setdefault(titles.get(area, area), []).extend(rows)
    return {
        "roles": [Role(role).label for role in Role.values],
        "groups": list(groups.items()),
        "shown": " ".join(name for name in PERMISSIONS if name in own and name not in FIXED),
    }
