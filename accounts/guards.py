"""Lets staff in: signed in, a member of the tenant in use, and with the permission the page demands."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.permissions import role_has
from ispbilling.kernel import access, api


@access.guard(access.Audience.STAFF)
def staff_guard(request: HttpRequest, rule: access.Rule) -> HttpResponseBase | None:
    is_program = api.is_asked(request)
    if not request.user.is_authenticated:
        if is_program:
            return api.error("auth.required", _("Please sign in."), 401)
        return redirect_to_login(request.get_full_path())
    membership = getattr(request, "membership", None)
    if membership is None or not role_has(membership.role, rule.permission):
        if is_program:
            return api.error("auth.forbidden", _("Your role does not allow this."), 403)
        return render(request, "403.html", status=403)
    return None
