"""A customer's use of a package over time, and the buying of periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, CurrencyField
from ispbilling.kernel.states import Moves

if TYPE_CHECKING:
    from packages.models import Package


class Subscription(TenantModel):
    """Expiry is ``anchor_at`` plus ``periods`` periods of the package, never "the expiry before plus one"."""

    class State(models.TextChoices):
        PENDING = "pending", _("Not paid yet")
        ACTIVE = "active", _("Active")
        GRACE = "grace", _("Grace")
        SUSPENDED = "suspended", _("Suspended")
        ENDED = "ended", _("Ended")

    MOVES = Moves(
        {
            State.PENDING: {State.ACTIVE, State.ENDED},
            State.ACTIVE: {State.GRACE, State.SUSPENDED, State.ENDED},
            State.GRACE: {State.ACTIVE, State.SUSPENDED, State.ENDED},
            State.SUSPENDED: {State.ACTIVE, State.GRACE, State.ENDED},
            State.ENDED: set(),
        }
    )

    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="subscriptions")
    package = TenantForeignKey("packages.Package", on_delete=models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    anchor_at = models.DateTimeField(null=True)
    periods = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    next_change_at = models.DateTimeField(null=True)  # when entitlement changes by time alone: the cycle's due date
    is_auto_renewed = models.BooleanField(default=True)  # from the wallet, before any cut
    extended_at = models.DateTimeField(null=True)  # when time was bought last
    suspended_at = models.DateTimeField(null=True)  # when the line was cut last
    held_until = models.DateTimeField(null=True)  # a person keeps the line until then, paid or not
    stopped_at = models.DateTimeField(null=True)  # its customer was deleted: blocked, whatever is paid for
    hold_reason = models.CharField(max_length=160, blank=True)
    #: What the next period is bought of, when the package is to change; the change itself falls due at the instant
    #: beside it, which is the expiry as it was when the change was ordered.
    next_package = TenantForeignKey("packages.Package", on_delete=models.PROTECT, null=True, related_name="+")
    package_changes_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_package=None, package_changes_at=None)
                | models.Q(next_package__isnull=False, package_changes_at__isnull=False),
                name="subscription_change_whole",
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "next_change_at"],
                name="subscription_due",
                condition=models.Q(next_change_at__isnull=False),
            ),
            models.Index(fields=["tenant", "expires_at"], name="subscription_expiry"),
            models.Index(
                fields=["tenant", "suspended_at"],
                name="subscription_cut",
                condition=models.Q(suspended_at__isnull=False),
            ),
        ]

    @property
    def package_to_buy(self) -> Package:
        """What the next period is a period of."""
        return self.package if self.next_package is None else self.next_package


class Recharge(TenantModel):
    """An order for periods at a price that was shown. Completed by money, once."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting for money")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    MOVES = Moves({State.PENDING: {State.COMPLETED, State.CANCELLED}, State.COMPLETED: set(), State.CANCELLED: set()})

    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="recharges")
    subscription = TenantForeignKey(Subscription, on_delete=models.PROTECT, related_name="recharges")
    package = TenantForeignKey("packages.Package", on_delete=models.PROTECT, related_name="+")
    periods = models.PositiveSmallIntegerField()
    subtotal = AmountField()
    discount_percent = models.DecimalField(max_digits=5, decimal_places=2)
    discount = AmountField()
    total = AmountField()  # tax contained
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)  # as it was when the price was shown
    currency = CurrencyField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    method = models.CharField(max_length=20, blank=True)
    old_expires_at = models.DateTimeField(null=True)
    new_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "customer", "-created_at"], name="recharge_customer")]


class Reminder(TenantModel):
    """A reminder fell due for an expiry: the unique row says it was told once."""

    subscription = TenantForeignKey(Subscription, on_delete=models.CASCADE, related_name="reminders")
    expires_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()
    is_told = models.BooleanField()  # False: fell due together with a nearer one, which was told instead
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "subscription", "expires_at", "days"], name="reminder_once")
        ]
