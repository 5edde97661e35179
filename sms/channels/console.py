"""A channel that leaves the machine nowhere: the message goes into the log. For demo and development."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from ispbilling.kernel import phone
from ispbilling.kernel.adapters import Facts, Proven
from sms.channels.base import Channel, Delivery, Outgoing, Sent, channel

log = structlog.get_logger(__name__)


@channel("console")
class Console(Channel):
    title = "Log of this server, for trying out"
    facts = Facts(
        docs="no outside system",
        proven=Proven.REAL,
        missing={"has_reports": "nobody has a handset here", "tells_cost": "the log costs nothing"},
    )

    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        for message in messages:
            log.info("message.console", to=phone.masked(message.to), length=len(message.text))
        return [Sent(message.id, Delivery.ACCEPTED, provider_id=message.id) for message in messages]
