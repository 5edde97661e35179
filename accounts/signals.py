"""What follows when somebody signs in or out, or changes his password, whichever page it was done on."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import services
from accounts.models import SignIn, User

SIGN_IN = "sign_in"  # in the session: the id of its row


@receiver(user_logged_in)
def _begun(request: HttpRequest, user: User, **_rest: Any) -> None:
    agent = request.META.get("HTTP_USER_AGENT", "")
    found = services.sign_in_begin(user=user, session_key=request.session.session_key or "", agent=agent)
    request.session[SIGN_IN] = str(found.id)


@receiver(user_logged_out)
def _ended(request: HttpRequest, **_rest: Any) -> None:
    SignIn.objects.filter(session_key=request.session.session_key or "").delete()


@receiver(password_changed)
def moved(request: HttpRequest, user: User, **_rest: Any) -> None:
    """All other sessions are worth nothing from here on, and this one has another key."""
    key = request.session.session_key or ""
    services.sign_in_move(sign_in_id=request.session.get(SIGN_IN, ""), session_key=key)
    services.sign_ins_end(user=user, keep=key)


@receiver(password_reset)
def _reset(user: User, **_rest: Any) -> None:
    services.sign_ins_end(user=user)
