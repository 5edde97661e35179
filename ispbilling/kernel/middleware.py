"""Around every request: its id and its caller's address, for the log and the audit."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from ispbilling.kernel import api, api_log, audit, clock
from ispbilling.kernel.errors import DomainError, Unauthenticated
from ispbilling.kernel.ids import uuid7


def client_address(request: HttpRequest) -> str:
    """The caller's address: the peer, or what the outermost proxy of ours saw. Left-most claims are never believed."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


class RequestContextMiddleware:
    """Binds request id and address; turns a DomainError nobody caught into its 4xx."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = str(uuid7())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        token = audit.source_address.set(client_address(request)[:45])
        try:
            response = self.get_response(request)
        finally:
            audit.source_address.reset(token)
        response["X-Request-Id"] = request_id
        response["Accept-CH"] = "Sec-CH-Prefers-Color-Scheme"  # light or dark, as the device is; see accounts.context
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if not isinstance(error, DomainError):
            return None
        if api.is_asked(request):
            if isinstance(error, Unauthenticated):
                return api.unauthenticated(error.code, error.message)
            return api.error(error.code, error.message, error.status, fields=error.fields)
        base = "dashboard/base.html" if getattr(request, "membership", None) else "client/base.html"
        context = {"title": _("That did not work"), "message": error.message, "base_template": base}
        return render(request, "components/problem.html", context, status=error.status)


class ApiLogMiddleware:
    """Notes who called what. Stands inside the request's context and outside everything that may refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.monotonic()
        response = self.get_response(request)
        tenant, match = getattr(request, "tenant", None), request.resolver_match
        if tenant is not None and match is not None and request.path.startswith("/api/"):
            from ispbilling.kernel.rest_callers import actor_of_request

            api_log.note(
                api_log.Call(
                    tenant_id=tenant.id,
                    at=clock.machine_now(),
                    actor=actor_of_request(request)[:80],
                    method=(request.method or "")[:8],
                    route=match.route[:120],
                    status=response.status_code,
                    took_ms=round((time.monotonic() - began) * 1000),
                    source_address=client_address(request)[:45],
                )
            )
        return response
