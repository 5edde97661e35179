"""Accounts with payment gateways, for whoever may change them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.adapter_forms import AccountForm
from ispbilling.kernel.errors import DomainError
from payments import selectors, services
from payments.providers.base import PaymentProvider, providers
from payments.services.listening import Answer


@require_safe
@access.staff("settings:gateways")
def gateways(request: HttpRequest) -> HttpResponse:
    """Every account, whether it speaks, and what else could be taken into use."""
    rows = [(row, providers.get(row.provider)) for row in selectors.accounts_all() if row.provider in providers]
    return render(request, "payments/gateway_list.html", {"rows": rows, "offered": _offered(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:gateways")
def gateway_add(request: HttpRequest) -> HttpResponse:
    """Take a gateway into use: which one, then its settings."""
    name = request.POST.get("provider", "") or request.GET.get("provider", "")
    adapter = dict(_offered(request)).get(name)
    if adapter is None:
        return render(request, "payments/gateway_add.html", {"offered": _offered(request)})
    data = request.POST if request.method == "POST" else None
    form = AccountForm(data, fields=adapter.config, label=adapter.title, kept=None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.provider_account_add(
                provider=name, label=form.cleaned_data["label"], config=form.config, actor=_actor(request)
            )
        except DomainError as error:
            form.add_error("label" if error.code == "provider.exists" else None, error.message)
        else:
            messages.success(request, _("The gateway is in use. Ask it now whether it knows your keys."))
            return redirect("payments:gateway", provideraccount_id=made.id)
    context = {"form": form, "adapter": adapter, "name": name}
    return render(request, "payments/gateway_add.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:gateways")
def gateway(request: HttpRequest, provideraccount_id: UUID) -> HttpResponse:
    """One account: its settings, and whether it is offered. Secrets are written and never read back."""
    row = selectors.account_get(provideraccount_id)
    adapter = providers.get(row.provider)
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action in ("on", "off"):
        services.provider_account_switch(account_id=row.id, is_enabled=action == "on", actor=_actor(request))
        said = (
            _("The gateway is offered to customers.") if action == "on" else _("The gateway is not offered any more.")
        )
        messages.success(request, said)
        return redirect("payments:gateway", provideraccount_id=row.id)
    data = request.POST if action == "save" else None
    form = AccountForm(data, fields=adapter.config, label=row.label, kept=dict(row.config))
    if action == "save" and form.is_valid():
        try:
            services.provider_account_edit(
                account_id=row.id, label=form.cleaned_data["label"], config=form.config, actor=_actor(request)
            )
        except DomainError as error:
            form.add_error("label" if error.code == "provider.exists" else None, error.message)
        else:
            messages.success(request, _("The settings are kept."))
            return redirect("payments:gateway", provideraccount_id=row.id)
    context = {"form": form, "account": row, "adapter": adapter}
    return render(request, "payments/gateway.html", context, status=422 if form.errors else 200)


@require_POST
@transaction.non_atomic_requests
@access.staff("settings:gateways")
def gateway_test(request: HttpRequest, provideraccount_id: UUID) -> HttpResponse:
    """Ask the gateway for a sign of life and say what came."""
    with transaction.atomic():
        row = selectors.account_get(provideraccount_id)
    heard = services.account_ask(account_id=row.id)
    words = {
        Answer.WELL: _("The gateway answered and takes your keys."),
        Answer.REFUSED: _("The gateway answered and does not take your keys: %(detail)s"),
        Answer.SILENT: _("The gateway did not answer (%(detail)s). Check the internet of this server."),
        Answer.CANNOT: _("This gateway has no question that could be asked without consequences."),
        Answer.OFF: _("Switch the account on first."),
    }
    tell = messages.success if heard.answer is Answer.WELL else messages.error
    tell(request, words[heard.answer] % {"detail": heard.detail} if heard.detail else words[heard.answer])
    return redirect("payments:gateway", provideraccount_id=row.id)


def _offered(request: HttpRequest) -> list[tuple[str, type[PaymentProvider]]]:
    """Gateways that take the tenant's currency."""
    currency = request.tenant.currency  # type: ignore[attr-defined]
    return [(name, one) for name, one in providers if not one.currencies or currency in one.currencies]


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
