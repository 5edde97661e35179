"""What a message channel is: the contract every adapter keeps.

An adapter knows the wire and the words of its provider and no table of ours. A provider that offers no idempotency
key is never asked twice: a time-out after the request left is the outcome ``unknown``, settled by a delivery report or
by asking, not by sending again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from ispbilling.kernel import http
from ispbilling.kernel.adapters import ConfigField, Facts, clean_config
from ispbilling.kernel.errors import Unsupported
from ispbilling.kernel.registry import Registry


class Delivery(StrEnum):
    """What a channel says about one message."""

    ACCEPTED = "accepted"  # the provider took it over
    DELIVERED = "delivered"  # the handset has it
    FAILED = "failed"  # it will not arrive
    UNKNOWN = "unknown"  # it may or may not have left
    RETRY = "retry"  # it surely did not leave, and may be tried again later


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one person. ``id`` is ours and unique."""

    id: str
    to: str  # E.164
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message. ``cost`` is the provider's own figure in ``currency``."""

    id: str
    delivery: Delivery
    provider_id: str = ""
    cost: Decimal | None = None
    currency: str = ""
    code: str = ""
    detail: str = ""
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery report as read from a callback: a claim about the message with this provider id.

    ``to``: whose telephone it is about, E.164, where the provider says so.
    """

    provider_id: str
    delivery: Delivery
    code: str = ""
    is_final: bool = False
    to: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One tenant's account with a provider: ``config`` has the adapter's fields, secrets in clear."""

    config: Mapping[str, str] = field(repr=False)
    base_url: str


class Channel(ABC):
    """One way a message leaves."""

    do_not_call_in_templates: ClassVar[bool] = True  # pages show what the class says of itself and make none
    name: ClassVar[str]
    title: ClassVar[str]
    default_base_url: ClassVar[str] = ""
    config: ClassVar[Mapping[str, ConfigField]] = {}
    batch_size: ClassVar[int] = 1  # how many messages of equal text one call takes
    has_reports: ClassVar[bool] = False
    tells_cost: ClassVar[bool] = False
    answer_timeout_s: ClassVar[float] = http.READ_TIMEOUT_S  # how long an answer is waited for
    facts: ClassVar[Facts]

    def __init__(self, settings: ChannelSettings) -> None:
        self.settings = settings

    @abstractmethod
    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages of one text. Answers every message, in any order; never raises for what the provider does.

        A time-out after the request left, or a missing recipient in the answer, is UNKNOWN; a provider that was
        never reached or said "later" is RETRY.
        """

    def parse_report(self, form: Mapping[str, str]) -> Report:
        """Read a delivery report without believing it. Raises Refused ``report.garbage``, Unsupported."""
        raise Unsupported("message.report", f"{self.title} sends no delivery reports")

    @classmethod
    def clean_config(cls, given: Mapping[str, Any]) -> dict[str, str]:
        """The account's settings, complete and without strangers. Raises Refused ``config.invalid``."""
        return clean_config(cls.config, given)


channels: Registry[type[Channel]] = Registry("message channel")


def channel(name: str) -> Callable[[type[Channel]], type[Channel]]:
    """Class decorator: makes an adapter known by its name."""

    def add(cls: type[Channel]) -> type[Channel]:
        cls.name = name
        return channels.register(name)(cls)

    return add
