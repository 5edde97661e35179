"""Lets staff in: signed in, a member of the tenant in use, and with the permission the page demands."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.permissions import PERMISSIONS
from ispbilling.kernel import access, api


@access.guard(access.Audience.STAFF)
def staff_guard(request: HttpRequest, rule: access.Rule) -> HttpResponseBase | None:
    is_program = api.is_asked(request)
    unknown = rule.demands(request.method or "") - PERMISSIONS.keys()
    if unknown:
        raise KeyError(f"no such permission: {sorted(unknown)}")
    if not request.user.is_authenticated:
        if is_program:
            return api.unauthenticated("auth.required", _("Please sign in."))
        return redirect_to_login(request.get_full_path())
    membership = getattr(request, "membership", None)
    granted: frozenset[str] = getattr(request, "granted", frozenset())
    if membership is None or not rule.demands(request.method or "") <= granted:
        if is_program:
            return api.error("auth.forbidden", _("Your role does not allow this."), 403)
        return render(request, "403.html", status=403)
    return None


def login_name(_request: Any, credentials: dict[str, Any] | None) -> str:
    """Whose log-in failed, for axes: the form and the API call the same thing by different names."""
    given = credentials or {}
    return str(given.get("login") or given.get("email") or given.get("username") or "").lower()[:255]
