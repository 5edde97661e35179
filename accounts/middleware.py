"""Finds the tenant of a request, then checks the one rule of the view that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import permissions, selectors, services
from accounts.callers import Caller, caller_of
from ispbilling.kernel import access, api, tenancy
from ispbilling.kernel.errors import Unauthenticated

SESSION_TENANT = "tenant"


_OF_CUSTOMERS = ("/client/", "/api/client/", "/api/auth/")


def _is_for_staff(path: str) -> bool:
    """Where a signed-in member's tenant counts. What gateways call names its own."""
    is_api = path.startswith("/api/") and not path.startswith(("/api/webhooks/", *_OF_CUSTOMERS))
    return path.startswith("/dashboard/") or is_api


class TenantMiddleware:
    """Staff work in the tenant of their membership; everybody else in the tenant of the host name.

    A program with an ``Authorization`` header works in the tenant its token names, and no cookie of its counts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.membership = None  # type: ignore[attr-defined]
        request.tenant = None  # type: ignore[attr-defined]
        request.caller = None  # type: ignore[attr-defined]
        request.caller_error = None  # type: ignore[attr-defined]
        request.granted = frozenset()  # type: ignore[attr-defined]
        with permissions.remembered() as known:
            return self._answer(request, known)

    def _answer(self, request: HttpRequest, known: dict[tuple[UUID, str], dict[str, bool]]) -> HttpResponseBase:
        if self._is_with_token(request):
            self._choose_caller(request)
        elif _is_for_staff(request.path) and request.user.is_authenticated:
            self._choose_membership(request)
            membership: Any = request.membership  # type: ignore[attr-defined]
            if membership is not None:
                known[membership.tenant_id, membership.role] = membership.said
        elif request.path.startswith(_OF_CUSTOMERS):
            request.tenant = selectors.tenant_of_host(request.get_host().split(":")[0])  # type: ignore[attr-defined]
        tenant = request.tenant  # type: ignore[attr-defined]
        if tenant is None:
            return self.get_response(request)
        structlog.contextvars.bind_contextvars(tenant=tenant.slug)
        with tenancy.tenant_context(tenant.id):
            if request.caller is None and request.membership is not None:  # type: ignore[attr-defined]
                role = request.membership.role  # type: ignore[attr-defined]
                request.granted = permissions.permissions_of(role)  # type: ignore[attr-defined]
            return self.get_response(request)

    @staticmethod
    def _is_with_token(request: HttpRequest) -> bool:
        is_api = request.path.startswith("/api/") and not request.path.startswith("/api/webhooks/")
        return is_api and "Authorization" in request.headers

    @staticmethod
    def _choose_caller(request: HttpRequest) -> None:
        # No page of another site can make a browser send this header, so there is nothing to forge.
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        request.user = AnonymousUser()
        host = request.get_host().split(":")[0]
        try:
            caller: Caller = caller_of(request.headers["Authorization"], host)
        except Unauthenticated as error:
            request.caller_error = error  # type: ignore[attr-defined]
            if request.path.startswith("/api/auth/"):  # the door is open to everybody
                request.tenant = selectors.tenant_of_host(host)  # type: ignore[attr-defined]
            return
        request.caller = caller  # type: ignore[attr-defined]
        request.tenant = caller.tenant  # type: ignore[attr-defined]
        request.membership = caller.membership  # type: ignore[attr-defined]
        request.granted = caller.granted  # type: ignore[attr-defined]
        if caller.user is not None:
            request.user = caller.user

    @staticmethod
    def _choose_membership(request: HttpRequest) -> None:
        user: Any = request.user
        memberships = selectors.memberships_of(user, request.session.session_key or "")
        wanted = request.session.get(SESSION_TENANT)
        chosen = next((one for one in memberships if str(one.tenant_id) == wanted), None) or next(
            iter(memberships), None
        )
        if chosen is not None:
            request.membership = chosen  # type: ignore[attr-defined]
            request.tenant = chosen.tenant  # type: ignore[attr-defined]
            key, seen_at = request.session.session_key or "", getattr(chosen, "seen_at", None)
            services.sign_in_seen(session_key=key, seen_at=seen_at)
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = user.language or cookie or (chosen.tenant.language if chosen is not None else "")
        if language in settings.LANGUAGE_OWN_NAMES:
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language()


class AccessMiddleware:
    """The one place where access is decided: deny unless the view's rule lets the caller in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        rule = access.rule_of(view, match.view_name if match else "")
        if rule is None and api.is_asked(request):
            return api.error("auth.forbidden", _("Nobody may do this."), 403)
        if rule is None:
            return render(request, "403.html", status=403)
        wrong: Unauthenticated | None = request.caller_error  # type: ignore[attr-defined]
        if wrong is not None and rule.audience in (access.Audience.STAFF, access.Audience.CUSTOMER):
            return api.unauthenticated(wrong.code, wrong.message)
        return access.check(request, rule)
