"""Browsers of staff, for tests of their pages."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests import factories

LIST = "/dashboard/customers/"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def browser_of(tenant: Any, role: str) -> Client:
    """A browser in which somebody of this role is signed in. ``settings.ALLOWED_HOSTS`` must let it in."""
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, role).user, BACKEND)
    return browser
