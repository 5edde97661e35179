"""Accounts with message providers."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from ispbilling.kernel.adapter_accounts import Accounts
from sms.channels.base import channels
from sms.models import ChannelAccount

_ACCOUNTS = Accounts(ChannelAccount, channels, "channel", "channel")


def channel_account_add(
    *, channel: str, label: str, config: Mapping[str, str], base_url: str = "", actor: str
) -> ChannelAccount:
    """Take a message provider into use. ``base_url`` puts any other server in its place.

    Raises DomainError ``channel.unknown``, ``channel.config``, Conflict ``channel.exists``.
    """
    return _ACCOUNTS.add(channel, label, config, base_url, actor)


def channel_account_edit(*, account_id: UUID, label: str, config: Mapping[str, str], actor: str) -> ChannelAccount:
    """Change an account; settings that are not in ``config`` stay. The audit names what changed and shows no value.

    Raises NotFound ``channel.account``, DomainError ``channel.config``, Conflict ``channel.exists``.
    """
    return _ACCOUNTS.edit(account_id, label, config, actor)


def channel_account_switch(*, account_id: UUID, is_enabled: bool, actor: str) -> ChannelAccount:
    """Send through an account, or no more. Raises NotFound ``channel.account``."""
    return _ACCOUNTS.switch(account_id, is_enabled, actor)
