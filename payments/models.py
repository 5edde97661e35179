"""One intention to pay, the calls made for it, and everything a gateway ever told us, raw."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.crypto import EncryptedJSONField, EncryptedTextField
from ispbilling.kernel.ids import url_token
from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, CurrencyField, Money
from ispbilling.kernel.states import Moves


class ProviderAccount(TenantModel):
    """A tenant's account with one gateway."""

    provider = models.CharField(max_length=20)
    label = models.CharField(max_length=60)
    base_url = models.CharField(max_length=200, blank=True)  # empty = the gateway's own address
    config = EncryptedJSONField()
    token = models.CharField(max_length=32, unique=True, default=url_token)  # in the path of its callbacks
    is_enabled = models.BooleanField(default=True)
    sort_order = models.PositiveSmallIntegerField(default=0)
    access_token = EncryptedTextField(null=True)  # type: ignore[misc]
    access_token_until = models.DateTimeField(null=True)  # machine time
    #: Machine time: when the gateway last spoke, and since when it does not answer our asking.
    heard_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    #: Its statement, all machine time: read up to when, when it was read last, when next (null = it is not read).
    statement_until = models.DateTimeField(null=True)
    statement_read_at = models.DateTimeField(null=True)
    statement_due_at = models.DateTimeField(null=True)
    statement_registered_at = models.DateTimeField(null=True)
    statement_error = models.CharField(max_length=300, blank=True)

    #: No statement waits longer than this to be read.
    STATEMENT_EVERY = timedelta(minutes=15)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "provider", "label"], name="provideraccount_label")]

    def __str__(self) -> str:
        return self.label


class Payment(TenantModel):
    """One intention to pay, or money that came unasked. ``purpose`` and ``purpose_id`` belong to whoever asked."""

    class State(models.TextChoices):
        INITIATED = "initiated", _("Initiated")
        PENDING = "pending", _("Waiting")
        SUCCEEDED = "succeeded", _("Paid")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    #: A late proof of payment wins over every negative end. Nothing leads away from success.
    MOVES = Moves(
        {
            State.INITIATED: {State.PENDING, State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED},
            State.PENDING: {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED},
            State.FAILED: {State.SUCCEEDED},
            State.CANCELLED: {State.SUCCEEDED},
            State.EXPIRED: {State.SUCCEEDED},
            State.SUCCEEDED: set(),
        }
    )

    account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="payments")
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, null=True, related_name="payments")
    amount = AmountField()  # asked for
    currency = CurrencyField()
    phone = models.CharField(max_length=16, blank=True)
    purpose = models.CharField(max_length=20, blank=True)
    purpose_id = models.UUIDField(null=True)
    idempotency_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.INITIATED)
    reason = models.CharField(max_length=20, blank=True)  # our word for why it ended badly
    receipt_family = models.CharField(max_length=20)
    receipt = models.CharField(max_length=40, null=True)
    paid_amount = AmountField(null=True)
    paid_at = models.DateTimeField(null=True)
    payer_text = models.CharField(max_length=120, blank=True)  # what the payer typed, for money that came unasked
    is_late = models.BooleanField(default=False)
    created_at = models.DateTimeField()  # product time
    started_at = models.DateTimeField()  # machine time: double taps and expiry are counted from here

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "idempotency_key"], name="payment_once"),
            models.UniqueConstraint(
                fields=["tenant", "receipt_family", "receipt"],
                condition=models.Q(receipt__isnull=False),
                name="payment_receipt",
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_amount_positive"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="payment_recent"),
            models.Index(fields=["tenant", "customer", "-created_at"], name="payment_customer"),
        ]

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.INITIATED, self.State.PENDING)


class PaymentAttempt(TenantModel):
    """One call to a gateway for a payment."""

    #: No attempt waits longer than this to be asked about.
    LONGEST_WAIT = timedelta(hours=2)

    payment = TenantForeignKey(Payment, on_delete=models.PROTECT, related_name="attempts")
    account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="attempts")
    reference = models.CharField(max_length=12)  # ours, shown to the payer
    token = models.CharField(max_length=32, unique=True, default=url_token)  # ours, in the callback's path
    gateway_reference = models.CharField(max_length=80, null=True)
    code = models.CharField(max_length=40, blank=True)  # the gateway's last word, for staff
    detail = models.CharField(max_length=300, blank=True)
    #: From a callback nobody proved: for staff to see, never booked.
    claimed_receipt = models.CharField(max_length=40, blank=True)
    queries = models.PositiveSmallIntegerField(default=0)
    next_query_at = models.DateTimeField(null=True)  # machine time; null = not asked any more
    asked_at = models.DateTimeField(null=True)  # machine time at which a person had it asked last
    started_at = models.DateTimeField()  # machine time

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reference"], name="attempt_reference"),
            models.UniqueConstraint(fields=["tenant", "account", "gateway_reference"], name="attempt_gateway_ref"),
        ]
        indexes = [
            models.Index(fields=["next_query_at"], name="attempt_due", condition=models.Q(next_query_at__isnull=False))
        ]


class PaymentEvent(TenantModel):
    """A callback as it arrived, before anybody believed it."""

    account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="events")
    attempt = TenantForeignKey(PaymentAttempt, on_delete=models.PROTECT, null=True, related_name="events")
    has_token = models.BooleanField()  # whether its path carried the attempt's own token
    body = models.BinaryField()
    headers = models.JSONField()
    source_address = models.CharField(max_length=45)
    received_at = models.DateTimeField()  # machine time
    processed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-received_at"], name="paymentevent_recent")]


class StatementLine(TenantModel):
    """A line of a gateway's statement that fitted no payment when it was read: told once.

    It is open as long as no payment has its receipt.
    """

    account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="statement_lines")
    receipt_family = models.CharField(max_length=20)
    receipt = models.CharField(max_length=40)
    amount = AmountField()
    currency = CurrencyField()
    at = models.DateTimeField()  # by the gateway; when it was read, where that could not be understood
    payer = models.CharField(max_length=80, blank=True)  # as told: often with digits hidden, or a hash
    account_text = models.CharField(max_length=120, blank=True)  # what the payer typed
    kind = models.CharField(max_length=40, blank=True)  # the gateway's word
    seen_at = models.DateTimeField()  # machine time

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "receipt_family", "receipt"], name="statementline_once")
        ]
        indexes = [models.Index(fields=["tenant", "-at", "-id"], name="statementline_recent")]
