"""Accounts with gateways."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from accounts.selectors import tenant_current
from ispbilling.kernel import audit, clock
from ispbilling.kernel.adapter_forms import changed_names, merged
from ispbilling.kernel.errors import Conflict, DomainError, NotFound, Refused
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
        provider=provider,
        label=label,
        config=clean,
        base_url=base_url.rstrip("/"),
        statement_due_at=clock.machine_now() if adapter.lists(clean) else None,
    )
    audit.record(actor=actor, verb="provider.add", row=account, new={"provider": provider, "label": label})
    return account


@transaction.atomic
def provider_account_edit(*, account_id: UUID, label: str, config: Mapping[str, str], actor: str) -> ProviderAccount:
    """Change an account; settings that are not in ``config`` stay. The audit names what changed and shows no value.

    Raises NotFound ``provider.account``, DomainError ``provider.config``, Conflict ``provider.exists``.
    """
    account = _locked(account_id)
    old = dict(account.config)
    try:
        clean = providers.get(account.provider).clean_config(merged(old, config))
    except Refused as error:
        raise DomainError("provider.config", f"The settings are not complete. {error.detail}") from error
    others = ProviderAccount.objects.filter(provider=account.provider, label=label).exclude(id=account.id)
    if others.exists():
        raise Conflict("provider.exists", f"There is an account “{label}” already.")
    changed = changed_names(old, clean)
    audit.record(
        actor=actor,
        verb="provider.edit",
        row=account,
        old={"label": account.label},
        new={"label": label, "changed": changed},
    )
    account.label, account.config = label, clean
    if changed:  # what was got with the old keys is not used with the new
        account.access_token = None  # type: ignore[assignment]
        account.access_token_until = None
        account.statement_registered_at = None
        account.statement_due_at = clock.machine_now() if providers.get(account.provider).lists(clean) else None
    account.save(
        update_fields=[
            "label",
            "config",
            "access_token",
            "access_token_until",
            "statement_registered_at",
            "statement_due_at",
        ]
    )
    return account


@transaction.atomic
def provider_account_switch(*, account_id: UUID, is_enabled: bool, actor: str) -> ProviderAccount:
    """Offer an account to customers, or offer it no more. What is under way is still finished.

    Raises NotFound ``provider.account``.
    """
    account = _locked(account_id)
    old, account.is_enabled = account.is_enabled, is_enabled
    account.save(update_fields=["is_enabled"])
    verb = "provider.on" if is_enabled else "provider.off"
    audit.record(actor=actor, verb=verb, row=account, old={"is_enabled": old}, new={"is_enabled": is_enabled})
    return account


def _locked(account_id: UUID) -> ProviderAccount:
    found: ProviderAccount | None = ProviderAccount.objects.select_for_update(no_key=True).filter(id=account_id).first()
    if found is None:
        raise NotFound("provider.account", "There is no such account.")
    return found
