"""Accounts with message providers."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from ispbilling.kernel import audit
from ispbilling.kernel.errors import Conflict, DomainError, Refused
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
