"""What the business says of itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.forms import BusinessForm
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("settings:business")
def business(request: HttpRequest) -> HttpResponse:
    """Name, telephone of the staff, zone and language."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    initial = {name: getattr(tenant, name) for name in ("name", "support_phone", "zone", "language")}
    form = BusinessForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in initial}
        if values["zone"] != tenant.zone and not form.cleaned_data["sure"]:
            form.add_error("sure", _("Days would begin and end at another instant: tick this if that is right."))
        else:
            try:
                services.tenant_change(**values, actor=services.actor_of(request.user.id))  # type: ignore[arg-type]
            except DomainError as error:
                form.add_error("zone" if error.code == "tenant.zone" else "support_phone", error.message)
            else:
                messages.success(request, _("The settings are kept."))
                return redirect("accounts:business")
    context = {"form": form, "asks_sure": "sure" in form.errors}
    return render(request, "accounts/business.html", context, status=422 if form.errors else 200)
