"""Accounts with message providers."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from ispbilling.kernel import audit
from ispbilling.kernel.adapter_forms import changed_names, merged
from ispbilling.kernel.errors import Conflict, DomainError, NotFound, Refused
from sms.channels.base import channels
from sms.models import ChannelAccount


@transaction.atomic
def channel_account_add(
    *, channel: str, label: str, config: Mapping[str, str], base_url: str = "", actor: str
) -> ChannelAccount:
    """Take a message provider into use. ``base_url`` puts any other server in its place.

    Raises DomainError ``channel.unknown``, ``channel.config``, Conflict ``channel.exists``.
    """
    if channel not in channels:
        raise DomainError("channel.unknown", f"There is no channel “{channel}” ({', '.join(channels.names())}).")
    try:
        clean = channels.get(channel).clean_config(config)
    except Refused as error:
        raise DomainError("channel.config", f"The settings are not complete. {error.detail}") from error
    if ChannelAccount.objects.filter(channel=channel, label=label).exists():
        raise Conflict("channel.exists", f"There is an account “{label}” already.")
    account: ChannelAccount = ChannelAccount.objects.create(
        channel=channel, label=label, config=clean, base_url=base_url.rstrip("/")
    )
    audit.record(actor=actor, verb="channel.add", row=account, new={"channel": channel, "label": label})
    return account


@transaction.atomic
def channel_account_edit(*, account_id: UUID, label: str, config: Mapping[str, str], actor: str) -> ChannelAccount:
    """Change an account; settings that are not in ``config`` stay. The audit names what changed and shows no value.

    Raises NotFound ``channel.account``, DomainError ``channel.config``, Conflict ``channel.exists``.
    """
    account = _locked(account_id)
    old = dict(account.config)
    try:
        clean = channels.get(account.channel).clean_config(merged(old, config))
    except Refused as error:
        raise DomainError("channel.config", f"The settings are not complete. {error.detail}") from error
    others = ChannelAccount.objects.filter(channel=account.channel, label=label).exclude(id=account.id)
    if others.exists():
        raise Conflict("channel.exists", f"There is an account “{label}” already.")
    audit.record(
        actor=actor,
        verb="channel.edit",
        row=account,
        old={"label": account.label},
        new={"label": label, "changed": changed_names(old, clean)},
    )
    account.label, account.config = label, clean
    account.save(update_fields=["label", "config"])
    return account


@transaction.atomic
def channel_account_switch(*, account_id: UUID, is_enabled: bool, actor: str) -> ChannelAccount:
    """Send through an account, or no more. Raises NotFound ``channel.account``."""
    account = _locked(account_id)
    old, account.is_enabled = account.is_enabled, is_enabled
    account.save(update_fields=["is_enabled"])
    verb = "channel.on" if is_enabled else "channel.off"
    audit.record(actor=actor, verb=verb, row=account, old={"is_enabled": old}, new={"is_enabled": is_enabled})
    return account


def _locked(account_id: UUID) -> ChannelAccount:
    found: ChannelAccount | None = ChannelAccount.objects.select_for_update(no_key=True).filter(id=account_id).first()
    if found is None:
        raise NotFound("channel.account", "There is no such account.")
    return found
