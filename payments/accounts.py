"""From an account's row to its adapter, and where its access token is kept."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts.selectors import tenant_current
from ispbilling.kernel import clock
from payments.models import ProviderAccount
from payments.providers.base import AccountSettings, PaymentProvider, providers


class RowTokenStore:
    """The access token in the account's own row: shared by all processes and there when Redis is not."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id

    @transaction.atomic
    def get(self) -> str | None:
        account = ProviderAccount.objects.only("access_token", "access_token_until").get(id=self.account_id)
        until = account.access_token_until
        if account.access_token is None or until is None or until <= clock.machine_now():
            return None
        return str(account.access_token.reveal())

    @transaction.atomic
    def put(self, token: str, lifetime_s: int) -> None:
        until = clock.machine_now() + timedelta(seconds=lifetime_s)
        ProviderAccount.objects.filter(id=self.account_id).update(access_token=token, access_token_until=until)

    @transaction.atomic
    def drop(self, token: str) -> None:
        account = ProviderAccount.objects.select_for_update(no_key=True).get(id=self.account_id)
        if account.access_token is not None and account.access_token.reveal() == token:
            ProviderAccount.objects.filter(id=self.account_id).update(access_token=None, access_token_until=None)


@transaction.atomic
def provider_of(account: ProviderAccount) -> PaymentProvider:
    """The adapter with this account's settings."""
    adapter = providers.get(account.provider)
    settings = AccountSettings(
        config=dict(account.config),
        base_url=account.base_url or adapter.default_base_url,
        currency=tenant_current().currency,
        tokens=RowTokenStore(account.id),
    )
    return adapter(settings)
