"""Pages for what went wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ispbilling.kernel import api


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    if api.is_asked(request):
        return api.error("not_found", _("There is nothing here."), 404)
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    if api.is_asked(request):
        return api.error("forbidden", _("This is not allowed."), 403)
    return render(request, "403.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    if api.is_asked(request):
        return api.error("error", _("Something went wrong on our side."), 500)
    return render(request, "500.html", status=500)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form, or a program with a cookie, without its token."""
    if api.is_asked(request):
        return api.error("csrf", _("Send the X-CSRFToken header, or a token of yours instead of the cookie."), 403)
    return render(request, "403_csrf.html", status=403)
