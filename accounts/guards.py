"""Lets staff in: signed in, a member of the tenant in use, and with the permission the page demands."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import assurance
from accounts.assurance import Missing
from accounts.permissions import PERMISSIONS
from ispbilling.kernel import access, api

#: What is open to whoever is still to set up his second factor.
_SET_UP_PAGES = {"accounts:second_factor"}


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
    if getattr(request, "caller", None) is not None:
        return None  # a token was given to nobody who had not shown his second factor
    return _second_factor(request, is_program=is_program)


def _second_factor(request: HttpRequest, *, is_program: bool) -> HttpResponseBase | None:
    """Whoever has a second factor must have shown it; whoever must have one is led to it before anything else."""
    missing = assurance.missing(request, request.membership)  # type: ignore[attr-defined]
    match = request.resolver_match
    if missing is None or (missing is Missing.SET_UP and match is not None and match.view_name in _SET_UP_PAGES):
        return None
    if is_program:
        return api.error("auth.second_factor", _("Please sign in with your second factor."), 403)
    if missing is Missing.SET_UP:
        return redirect("accounts:second_factor")
    return redirect(f"{reverse('account_second_factor')}?{urlencode({'next': request.get_full_path()})}")


def login_name(_request: Any, credentials: dict[str, Any] | None) -> str:
    """Whose log-in failed, for axes: the form and the API call the same thing by different names."""
    given = credentials or {}
    return str(given.get("login") or given.get("email") or given.get("username") or "").lower()[:255]
