"""Accounts with payment gateways, for whoever may change them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.adapter_pages import AccountPages
from payments import selectors, services
from payments.providers.base import PaymentProvider, providers
from payments.services.listening import Answer

PAGES = AccountPages(
    word="provider",
    url="payments:gateway",
    url_argument="provideraccount_id",
    template="payments/gateway.html",
    template_add="payments/gateway_add.html",
    add=lambda name, label, config, actor: services.provider_account_add(
        provider=name, label=label, config=config, actor=actor
    ),
    edit=lambda row_id, label, config, actor: services.provider_account_edit(
        account_id=row_id, label=label, config=config, actor=actor
    ),
    switch=lambda row_id, is_enabled, actor: services.provider_account_switch(
        account_id=row_id, is_enabled=is_enabled, actor=actor
    ),
    added=gettext_lazy("The payment method is in use. If it is online, ask it now whether it takes your keys."),
    switched_on=gettext_lazy("The payment method is offered to customers."),
    switched_off=gettext_lazy("The payment method is not offered any more."),
)


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
    used = {row.provider for row in selectors.accounts_enabled()}
    return PAGES.page_add(request, offered=_offered(request), actor=_actor(request), more={"used": used})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:gateways")
def gateway(request: HttpRequest, provideraccount_id: UUID) -> HttpResponse:
    """One account: its settings, whether it is offered, and how it is with it."""
    row = selectors.account_get(provideraccount_id)
    adapter = providers.get(row.provider)
    more = {"is_listed": adapter.lists(row.config)}
    return PAGES.page(request, row=row, adapter=adapter, actor=_actor(request), more=more)


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
