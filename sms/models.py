"""Messages to customers, the accounts they leave through, and their wording."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.translation import pgettext_lazy

from ispbilling.kernel.crypto import EncryptedJSONField
from ispbilling.kernel.ids import url_token
from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.states import Moves


class ChannelAccount(TenantModel):
    """A tenant's account with a message provider."""

    channel = models.CharField(max_length=20)
    label = models.CharField(max_length=60)
    base_url = models.CharField(max_length=200, blank=True)  # empty = the provider's own address
    config = EncryptedJSONField()
    token = models.CharField(max_length=32, unique=True, default=url_token)  # in the path of delivery reports
    is_enabled = models.BooleanField(default=True)
    sort_order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "channel", "label"], name="channelaccount_label")]

    def __str__(self) -> str:
        return self.label


class Template(TenantModel):
    """A tenant's own wording of a message; without a row the built-in wording of ``sms.wording`` is used."""

    code = models.CharField(max_length=30)
    language = models.CharField(max_length=8)
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "code", "language"], name="template_once")]


class Message(TenantModel):
    """One message to one person. ``key`` names its cause: the same cause is told once.

    UNKNOWN: the provider was asked and did not answer. It is never sent again; a delivery report settles it.
    """

    #: No message waits longer than this for its next step.
    LONGEST_WAIT = timedelta(minutes=30)

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("message", "Waiting")
        SENDING = "sending", pgettext_lazy("message", "Being sent")
        ACCEPTED = "accepted", pgettext_lazy("message", "Sent")
        DELIVERED = "delivered", pgettext_lazy("message", "Delivered")
        FAILED = "failed", pgettext_lazy("message", "Failed")
        UNKNOWN = "unknown", pgettext_lazy("message", "Outcome unknown")

    MOVES = Moves(
        {
            State.QUEUED: {State.SENDING, State.FAILED},
            State.SENDING: {State.QUEUED, State.ACCEPTED, State.DELIVERED, State.FAILED, State.UNKNOWN},
            State.UNKNOWN: {State.ACCEPTED, State.DELIVERED, State.FAILED},
            State.ACCEPTED: {State.DELIVERED, State.FAILED},
            State.DELIVERED: set(),
            State.FAILED: set(),
        }
    )

    account = TenantForeignKey(ChannelAccount, on_delete=models.PROTECT, null=True, related_name="messages")
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, null=True, related_name="messages")
    code = models.CharField(max_length=30)  # which message this is; see ``sms.wording``
    key = models.CharField(max_length=120)
    to = models.CharField(max_length=16)
    text = models.TextField()
    is_secret = models.BooleanField(default=False)  # carries a one-time code: staff do not see the text
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    provider_id = models.CharField(max_length=80, blank=True)
    cost = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    cost_currency = models.CharField(max_length=3, blank=True)
    error = models.CharField(max_length=200, blank=True)
    again_of = TenantForeignKey("self", on_delete=models.PROTECT, null=True, related_name="repeats")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)  # machine time; null = nothing to be done
    created_at = models.DateTimeField()  # product time
    queued_at = models.DateTimeField()  # machine time: old news is not sent late
    changed_at = models.DateTimeField()

    @property
    def trouble(self) -> str:
        """What the provider last said, unless the message is on its way: providers comment on success too."""
        return "" if self.state in (self.State.ACCEPTED, self.State.DELIVERED) else self.error

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="message_once")]
        indexes = [
            models.Index(fields=["next_try_at"], name="message_due", condition=models.Q(next_try_at__isnull=False)),
            models.Index(fields=["tenant", "-created_at", "-id"], name="message_recent"),
            models.Index(fields=["tenant", "state", "-created_at", "-id"], name="message_of_state"),
            models.Index(fields=["tenant", "customer", "-created_at"], name="message_customer"),
            models.Index(
                fields=["tenant", "account", "provider_id"],
                name="message_provider_id",
                condition=~models.Q(provider_id=""),
            ),
        ]


class DeliveryReport(TenantModel):
    """What a provider told about a message, each thing once, believed or not: ``Message.state`` is what we believe."""

    message = TenantForeignKey(Message, on_delete=models.CASCADE, related_name="reports")
    delivery = models.CharField(max_length=10)  # ``sms.channels.base.Delivery``
    code = models.CharField(max_length=60, blank=True)  # the provider's own word
    is_final = models.BooleanField(default=False)
    at = models.DateTimeField()  # machine time

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "message", "delivery", "code"], name="deliveryreport_once")
        ]
