"""Accounts with message providers, for whoever may change them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services import actor_of
from ispbilling.kernel import access
from ispbilling.kernel.adapter_forms import AccountForm
from ispbilling.kernel.errors import DomainError
from sms import selectors, services
from sms.channels.base import channels


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
    name = request.POST.get("channel", "") or request.GET.get("channel", "")
    if name not in channels:
        return render(request, "sms/account_add.html", {"offered": list(channels)})
    adapter = channels.get(name)
    data = request.POST if request.method == "POST" else None
    form = AccountForm(data, fields=adapter.config, label=adapter.title, kept=None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.channel_account_add(
                channel=name, label=form.cleaned_data["label"], config=form.config, actor=_actor(request)
            )
        except DomainError as error:
            form.add_error("label" if error.code == "channel.exists" else None, error.message)
        else:
            messages.success(request, _("The account is in use."))
            return redirect("sms:channel", channelaccount_id=made.id)
    context = {"form": form, "adapter": adapter, "name": name}
    return render(request, "sms/account_add.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.staff("settings:messages")
def account(request: HttpRequest, channelaccount_id: UUID) -> HttpResponse:
    """One account: its settings, and whether messages leave through it. Secrets are written and never read back."""
    row = selectors.account_get(channelaccount_id)
    adapter = channels.get(row.channel)
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action in ("on", "off"):
        services.channel_account_switch(account_id=row.id, is_enabled=action == "on", actor=_actor(request))
        said = _("Messages leave through it.") if action == "on" else _("No message leaves through it any more.")
        messages.success(request, said)
        return redirect("sms:channel", channelaccount_id=row.id)
    data = request.POST if action == "save" else None
    form = AccountForm(data, fields=adapter.config, label=row.label, kept=dict(row.config))
    if action == "save" and form.is_valid():
        try:
            services.channel_account_edit(
                account_id=row.id, label=form.cleaned_data["label"], config=form.config, actor=_actor(request)
            )
        except DomainError as error:
            form.add_error("label" if error.code == "channel.exists" else None, error.message)
        else:
            messages.success(request, _("The settings are kept."))
            return redirect("sms:channel", channelaccount_id=row.id)
    context = {"form": form, "account": row, "adapter": adapter}
    return render(request, "sms/account.html", context, status=422 if form.errors else 200)


def _actor(request: HttpRequest) -> str:
    user: Any = request.user
    return actor_of(user.id)
