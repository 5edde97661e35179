"""When and how customers are cut: the tenant's own rules, and what they would do tonight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.services import actor_of
from billing import selectors, services
from billing.forms import PolicyForm
from billing.models import BillingPolicy
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError

TONIGHT = timedelta(hours=24)


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("settings:policy")
def policy(request: HttpRequest) -> HttpResponse:
    """All rules, with a look at tonight under them before they are kept."""
    kept = selectors.policy_current()
    form = PolicyForm(request.POST or None, initial=PolicyForm.values_of(kept))
    context: dict[str, Any] = {"form": form, "now": _tonight(request, kept)}
    if request.method == "POST" and form.is_valid():
        changes = form.changes()
        context["then"] = then = _tonight(request, BillingPolicy(**_taxes_of(kept), **changes))
        is_harder = then > context["now"]
        if request.POST.get("action") == "preview":
            return render(request, "billing/policy.html", context)
        if is_harder and request.POST.get("action") != "sure":
            return render(request, "billing/policy.html", {**context, "asks_sure": True}, status=422)
        try:
            services.policy_set(changes=changes, actor=actor_of(request.user.id))  # type: ignore[arg-type]
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("The rules are kept and hold from now on."))
            return redirect("billing:policy")
    return render(request, "billing/policy.html", context, status=422 if form.errors else 200)


def _taxes_of(kept: BillingPolicy) -> dict[str, Any]:
    """What this page does not change, and what is renewed from a wallet depends on."""
    return {"tax_mode": kept.tax_mode, "tax_percent": kept.tax_percent}


def _tonight(request: HttpRequest, rules: BillingPolicy) -> tuple[int, bool]:
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    return selectors.cuts_under(rules=selectors.Rules(tenant, rules), within=TONIGHT)
