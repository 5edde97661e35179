"""Where an invitation leads."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import selectors, services
from accounts.forms import JoinForm, KnownForm
from accounts.models import Invitation, Role, User
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.public("whoever is invited has no account yet; the path carries an unguessable key")
def join(request: HttpRequest, key: str) -> HttpResponse:
    """Begin to work for whoever asked: with a new password, or with that of the account one has."""
    found = selectors.invitation_of_key(key)
    if found is None:
        return render(request, "accounts/join_closed.html", status=404)
    is_known = User.objects.filter(email=found.email).exists()
    data = request.POST if request.method == "POST" else None
    form = KnownForm(data) if is_known else JoinForm(data)
    if request.method == "POST" and form.is_valid() and _join(request, key, found, form, is_known=is_known):
        messages.success(request, _("Welcome. Sign in now."))
        return redirect("account_login")
    context = {"form": form, "invitation": found, "role": Role(found.role).label, "is_known": is_known}
    return render(request, "accounts/join.html", context, status=422 if form.errors else 200)


def _join(request: HttpRequest, key: str, found: Invitation, form: Any, *, is_known: bool) -> bool:
    typed = form.cleaned_data["password"]
    try:
        if is_known:
            known = get_adapter(request).authenticate(request, email=found.email, password=typed)
            if known is None:
                form.add_error("password", _("That is not the password of this account."))
                return False
            services.invitation_accept(key=key, known=known)
        else:
            services.invitation_accept(key=key, name=form.cleaned_data["name"], password=typed)
    except ValidationError as error:  # too many tries
        form.add_error("password", error)
    except DomainError as error:
        form.add_error("password", error.fields.get("password") or error.message)
    return not form.errors
