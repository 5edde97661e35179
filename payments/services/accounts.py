"""Accounts with gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.selectors import tenant_current
from ispbilling.kernel import clock
from ispbilling.kernel.adapter_accounts import Accounts
from ispbilling.kernel.errors import DomainError
from payments.models import ProviderAccount
from payments.providers.base import providers


def _settled(adapter: Any, config: Mapping[str, str]) -> Mapping[str, Any]:
    """What was got with the old keys is not used with the new, and a statement is read from the first instant on."""
    return {
        "access_token": None,
        "access_token_until": None,
        "statement_registered_at": None,
        "statement_due_at": clock.machine_now() if adapter.lists(config) else None,
    }


_ACCOUNTS = Accounts(ProviderAccount, providers, "provider", "gateway", _settled)


@transaction.atomic
def provider_account_add(
    *, provider: str, label: str, config: Mapping[str, str], base_url: str = "", actor: str
) -> ProviderAccount:
    """Take a gateway into use. ``base_url`` puts any other server in its place.

    Raises DomainError ``provider.unknown``, ``provider.config``, ``provider.currency``, Conflict ``provider.exists``.
    """
    account = _ACCOUNTS.add(provider, label, config, base_url, actor)
    adapter, currency = providers.get(provider), tenant_current().currency
    if adapter.currencies and currency not in adapter.currencies:
        raise DomainError("provider.currency", f"{adapter.title} does not take {currency}.")
    return account


def provider_account_edit(*, account_id: UUID, label: str, config: Mapping[str, str], actor: str) -> ProviderAccount:
    """Change an account; settings that are not in ``config`` stay. The audit names what changed and shows no value.

    Raises NotFound ``provider.account``, DomainError ``provider.config``, Conflict ``provider.exists``.
    """
    return _ACCOUNTS.edit(account_id, label, config, actor)


def provider_account_switch(*, account_id: UUID, is_enabled: bool, actor: str) -> ProviderAccount:
    """Offer an account to customers, or offer it no more. What is under way is still finished.

    Raises NotFound ``provider.account``.
    """
    return _ACCOUNTS.switch(account_id, is_enabled, actor)
