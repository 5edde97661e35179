"""What a payment provider is: the contract every gateway adapter keeps, with its typed results.

An adapter is one file that knows the wire and the words of its gateway and no table of ours. It is built per call with
the settings of one account, so that tenants never share a client. Errors by kind:

``Retryable``  asked and got no answer: the outcome is unknown, the payment stays pending and is asked about later;
``Refused``    the gateway said no for certain.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from ispbilling.kernel import http
from ispbilling.kernel.adapters import ConfigField, Facts, clean_config
from ispbilling.kernel.errors import Unsupported
from ispbilling.kernel.money import Money
from ispbilling.kernel.registry import Registry


class TokenStore(Protocol):
    """Where an access token of one account is kept between calls, shared by all processes."""

    def get(self) -> str | None: ...

    def put(self, token: str, lifetime_s: int) -> None: ...

    def drop(self, token: str) -> None:
        """Forget this token, unless another one took its place meanwhile."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One tenant's account with a gateway: ``config`` has the adapter's fields, secrets in clear."""

    config: Mapping[str, str] = field(repr=False)
    base_url: str
    currency: str
    tokens: TokenStore


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to a gateway for a payment. ``reference`` is ours: 12 letters and digits, unique."""

    reference: str
    amount: Money
    phone: str  # E.164, empty when the way of paying needs none
    description: str
    callback_url: str
    gateway_reference: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PushSent:
    """The payer's phone was asked. No money has moved."""

    gateway_reference: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Instructions:
    """Nothing was sent; a person hands over the money or types our reference himself."""

    text: str


Started = PushSent | Instructions


class Outcome(StrEnum):
    """What a gateway says about an attempt, in our words. ``PENDING`` also stands for every answer we do not know."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt.

    ``amount`` and ``receipt`` are None where the gateway does not tell them (an M-Pesa query tells neither).
    ``code`` and ``detail`` are the gateway's own, for staff; ``reason`` is our word for the customer's text.
    """

    outcome: Outcome
    gateway_reference: str = ""
    receipt: str | None = None
    amount: Money | None = None
    paid_at: datetime | None = None
    payer: str = ""
    code: str = ""
    detail: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """Money that came, as the gateway's own statement has it.

    ``payer`` as told: digits, digits with some hidden (``2547 ***** 126``), or a hash of them. ``account_text`` is what
    the payer typed as account, or our reference where a push named it. ``kind`` is the gateway's word.
    """

    receipt: str
    amount: Money
    at: datetime | None = None
    payer: str = ""
    account_text: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A part of a statement. ``next_page`` is what to ask with for the next one, empty after the last.

    ``unread``: rows that were no income or could not be read.
    """

    entries: tuple[StatementEntry, ...]
    next_page: str = ""
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request of the outside world as it was stored: nothing in it is believed."""

    body: bytes
    headers: Mapping[str, str]
    source_address: str


@dataclass(frozen=True, slots=True)
class Ack:
    """What to answer the gateway: its own form of "got it"."""

    status: int
    body: str
    content_type: str = "application/json"


class PaymentProvider(ABC):
    """One gateway. Class attributes say what it can do, so that pages and sweeps never ask for its name."""

    do_not_call_in_templates: ClassVar[bool] = True  # pages show what the class says of itself and make none
    name: ClassVar[str]
    title: ClassVar[str]  # as customers know it
    currencies: ClassVar[frozenset[str]]  # empty = any
    smallest_unit: ClassVar[Decimal]  # a multiple of this may be asked
    receipt_family: ClassVar[str]  # receipts are unique within this, over all ways the same money can arrive
    default_base_url: ClassVar[str] = ""
    can_push: ClassVar[bool] = False
    can_query: ClassVar[bool] = False
    can_list: ClassVar[bool] = False  # gives a statement of what came, to accounts that ask for it (``lists``)
    can_ping: ClassVar[bool] = False  # has a question that changes nothing, to hear whether it is there
    can_refund: ClassVar[bool] = False
    can_refund_part: ClassVar[bool] = False
    needs_phone: ClassVar[bool] = False
    has_callbacks: ClassVar[bool] = False
    signs_callbacks: ClassVar[bool] = False  # a forged one is refused by ``parse_event``
    tells_currency: ClassVar[bool] = False  # its callbacks name the currency
    answer_timeout_s: ClassVar[float] = http.READ_TIMEOUT_S  # how long an answer is waited for
    #: Host names a payer's own browser must reach to pay (a checkout page); none where his telephone is asked.
    garden_hosts: ClassVar[tuple[str, ...]] = ()
    #: How far back a statement reaches, and how late an entry may appear in it.
    list_window: ClassVar[timedelta] = timedelta(0)
    list_lateness: ClassVar[timedelta] = timedelta(0)
    #: Seconds after the start at which to ask what became of an attempt.
    query_at_s: ClassVar[tuple[int, ...]] = ()
    expires_after_s: ClassVar[int] = 300
    config: ClassVar[Mapping[str, ConfigField]] = {}
    facts: ClassVar[Facts]

    def __init__(self, settings: AccountSettings) -> None:
        self.settings = settings

    @abstractmethod
    def start(self, attempt: Attempt) -> Started:
        """Begin. Raises Retryable when the outcome is unknown (pending), Refused when surely nothing was begun."""

    def query(self, attempt: Attempt) -> Result:
        """Ask what became of an attempt. Raises Retryable when no usable answer came, Unsupported."""
        raise Unsupported("payment.query", f"{self.title} cannot be asked")

    @classmethod
    def lists(cls, config: Mapping[str, str]) -> bool:
        """Whether the statement of an account with these settings may be read."""
        return cls.can_list

    def list_register(self, callback_url: str) -> None:
        """Say once that the statement will be read; harmless twice. Raises Retryable, Refused, Unsupported."""
        raise Unsupported("payment.list", f"{self.title} gives no statement")

    def transactions_between(self, since: datetime, until: datetime, page: str) -> StatementPage:
        """What came in a span of machine time; ``page`` is empty for the first, then what the page before named.

        An entry may stand there twice, and later than it came. Raises Retryable, Refused, Unsupported.
        """
        raise Unsupported("payment.list", f"{self.title} gives no statement")

    def ping(self) -> None:
        """Ask for a sign of life, without consequences. Raises Retryable when none came, Refused when it said no."""
        raise Unsupported("payment.ping", f"{self.title} cannot be asked whether it is there")

    def parse_event(self, incoming: Incoming) -> Result:
        """Read a callback without believing it. Raises Refused ``event.garbage`` for what is not one."""
        raise Unsupported("payment.event", f"{self.title} sends no callbacks")

    def refund(self, attempt: Attempt, *, receipt: str, amount: Money, reference: str) -> Result:
        """Give back ``amount`` of a paid attempt. ``reference`` is ours: the same one never gives back twice.

        Raises Retryable when the outcome is unknown, Refused when surely nothing was given back, Unsupported.
        """
        raise Unsupported("payment.refund", f"{self.title} cannot give money back")

    @classmethod
    def ack(cls) -> Ack:
        """The answer to a stored callback."""
        return Ack(200, "{}")

    @classmethod
    def clean_config(cls, given: Mapping[str, Any]) -> dict[str, str]:
        """The account's settings, complete and without strangers. Raises Refused ``config.invalid``."""
        return clean_config(cls.config, given)


providers: Registry[type[PaymentProvider]] = Registry("payment provider")


def title_of(name: str) -> str:
    """A way of paying as people know it; the name itself when its adapter is not here any more."""
    return str(providers.get(name).title) if name in providers else name


def provider(name: str) -> Callable[[type[PaymentProvider]], type[PaymentProvider]]:
    """Class decorator: makes an adapter known by its name."""

    def add(cls: type[PaymentProvider]) -> type[PaymentProvider]:
        cls.name = name
        return providers.register(name)(cls)

    return add
