"""Accounts with gateways."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from accounts.selectors import tenant_current
from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict, DomainError, Refused
from payments.models import ProviderAccount
from payments.providers.base import providers


@transaction.atomic
def provider_account_add(
    *, provider: str, label: str, config: Mapping[str, str], base_url: str = "", actor: str
) -> ProviderAccount:
    """Take a gateway into use. ``base_url`` puts any other server in its place.

    Raises DomainError ``provider.unknown``, ``provider.config``, ``provider.currency``, Conflict ``provider.exists``.
    """
    if provider not in providers:
        raise DomainError("provider.unknown", f"There is no gateway “{provider}” ({', '.join(providers.names())}).")
    adapter = providers.get(provider)
    try:
        clean = adapter.clean_config(config)
    except Refused as error:
        raise DomainError("provider.config", f"The settings are not complete. {error.detail}") from error
    currency = tenant_current().currency
    if adapter.currencies and currency not in adapter.currencies:
        raise DomainError("provider.currency", f"{adapter.title} does not take {currency}.")
    if ProviderAccount.objects.filter(provider=provider, label=label).exists():
        raise Conflict("provider.exists", f"There is an account “{label}” already.")
    account: ProviderAccount = ProviderAccount.objects.create(
        provider=provider, label=label, config=clean, base_url=base_url.rstrip("/")
    )
    audit.record(actor=actor, verb="provider.add", row=account, new={"provider": provider, "label": label})
    return account
