"""Taxes, and what buying several periods at once takes off the price."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.services import actor_of
from billing import selectors, services
from billing.price_forms import PricesForm
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.money import Money
from packages.selectors import packages_on_sale


@require_http_methods(["GET", "HEAD", "POST"])
@access.staff("settings:prices")
def prices(request: HttpRequest) -> HttpResponse:
    """The rules, with what the packages on sale cost under them."""
    options, policy = selectors.recharge_options(), selectors.policy_current()
    form = PricesForm(request.POST or None, initial=PricesForm.values_of(policy, options))
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request.user.id)  # type: ignore[arg-type]
        try:
            with transaction.atomic():
                services.policy_set(changes=form.rules(), actor=actor)
                services.recharge_options_set(percents=form.percents(), actor=actor)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("The rules are kept. They hold for what is quoted from now on."))
            return redirect("billing:prices")
    rules = selectors.rules_current()
    context = {"form": form, "examples": [_example(rules, package) for package in packages_on_sale()[:10]]}
    return render(request, "billing/prices.html", context, status=422 if form.errors else 200)


def _example(rules: selectors.Rules, package: Any) -> dict[str, Any]:
    quote = rules.quote_of(package, 1)
    typed: Money = package.money(rules.tenant.currency)
    return {"package": package, "typed": typed, "shown": quote.total, "tax": quote.tax, "net": quote.total - quote.tax}
