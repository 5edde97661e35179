"""Staff at the door of the API: the same passwords and the same lock as on the page."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from ispbilling.kernel.errors import TooMany


def staff_prove(*, request: HttpRequest, email: str, password: str) -> User | None:
    """The user whose password this is. Takes as long for nobody as for somebody. Call outside a transaction.

    Wrong ones count together with those typed on the page. Raises TooMany ``auth.locked``.
    """
    credentials = {"login": email, "email": email, "password": password}
    if not AxesProxyHandler.is_allowed(request, credentials):
        raise TooMany("auth.locked", _("Too many tries. Please wait a quarter of an hour."), retry_after_s=900)
    found = authenticate(request, **credentials)
    request.axes_locked_out = False  # type: ignore[attr-defined]  # the page of axes is not for programs
    return found if isinstance(found, User) else None
