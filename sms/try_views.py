"""A few words through one account, to see it work."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from sms import selectors, services
from sms.forms import TryForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:messages")
def channel_try(request: HttpRequest, channelaccount_id: UUID) -> HttpResponse:
    """Where the test goes, then the test's own page, which tells how it went."""
    account = selectors.account_get(channelaccount_id)
    form = TryForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.channel_account_try(
                account_id=account.id,
                typed_phone=form.cleaned_data["phone"],
                key=form.cleaned_data["key"],
                actor=actor_of(request.user.id),  # type: ignore[arg-type]
            )
        except DomainError as error:
            form.add_error("phone", error.message)
        else:
            messages.success(request, _("The test is on its way. This page tells how it goes."))
            return redirect("sms:message", message_id=made.id)
    return render(
        request, "sms/account_try.html", {"form": form, "account": account}, status=422 if form.errors else 200
    )
