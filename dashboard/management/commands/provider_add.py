"""``manage.py provider_add --tenant … --provider mpesa --label M-Pesa --config '{…}' [--base-url …]``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import tenant_of_slug
from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.operator import ACTOR, OperatorCommand, add_secret_argument, add_tenant_argument, secret_value
from payments.services import provider_account_add
from sms.channels.base import channels
from sms.services import channel_account_add


class Command(OperatorCommand):
    help = "Take a payment gateway or message provider into use. Prints its id as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_argument(parser)
        parser.add_argument("--provider", required=True, help="mpesa, cash, africastalking, console")
        parser.add_argument("--label", required=True, help="the name customers and staff see")
        add_secret_argument(parser, "config", "the account's settings as a JSON object")
        parser.add_argument("--base-url", default="", help="another server in the provider's place")

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            config = json.loads(secret_value(options["config"]) or "{}")
        except ValueError as error:
            raise DomainError("config.json", "--config is not JSON.") from error
        if not isinstance(config, dict):
            raise DomainError("config.json", "--config is not a JSON object.")
        add = {"config": config, "base_url": options["base_url"], "label": options["label"], "actor": ACTOR}
        with tenancy.tenant_context(tenant_of_slug(options["tenant"]).id):
            if options["provider"] in channels:
                channel = channel_account_add(channel=options["provider"], **add)
                return {"id": channel.id, "provider": channel.channel, "hook": f"/hooks/m/{channel.token}/report"}
            account = provider_account_add(provider=options["provider"], **add)
            return {"id": account.id, "provider": account.provider, "hook": f"/hooks/p/{account.token}/"}
