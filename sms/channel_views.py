"""Accounts with message providers, for whoever may change them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.adapter_pages import AccountPages
from sms import selectors, services
from sms.channels.base import channels

PAGES = AccountPages(
    word="channel",
    url="sms:channel",
    url_argument="channelaccount_id",
    template="sms/account.html",
    template_add="sms/account_add.html",
    add=lambda name, label, config, actor: services.channel_account_add(
        channel=name, label=label, config=config, actor=actor
    ),
    edit=lambda row_id, label, config, actor: services.channel_account_edit(
        account_id=row_id, label=label, config=config, actor=actor
    ),
    switch=lambda row_id, is_enabled, actor: services.channel_account_switch(
        account_id=row_id, is_enabled=is_enabled, actor=actor
    ),
    added=gettext_lazy("The account is in use."),
    switched_on=gettext_lazy("Messages leave through it."),
    switched_off=gettext_lazy("No message leaves through it any more."),
)


@require_safe
@access.staff("settings:messages")
def accounts(request: HttpRequest) -> HttpResponse:
    """Every account, and what else could be taken into use."""
    rows = [(row, channels.get(row.channel)) for row in selectors.accounts_all() if row.channel in channels]
    return render(request, "sms/account_list.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:messages")
def account_add(request: HttpRequest) -> HttpResponse:
    """Take a message provider into use: which one, then its settings."""
    return PAGES.page_add(request, offered=list(channels), actor=_actor(request))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:messages")
def account(request: HttpRequest, channelaccount_id: UUID) -> HttpResponse:
    """One account: its settings, and whether messages leave through it."""
    row = selectors.account_get(channelaccount_id)
    return PAGES.page(request, row=row, adapter=channels.get(row.channel), actor=_actor(request))


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
