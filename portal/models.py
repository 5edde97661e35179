"""What subscribers come in with, what a tenant decides about its portal, and who asked to become a subscriber."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.states import Moves


class LoginCode(TenantModel):
    """A code sent to a telephone. Kept hashed; dies with its use, its time or too many guesses."""

    phone = models.CharField(max_length=16)
    code_hash = models.CharField(max_length=128)
    is_real = models.BooleanField()  # False: nobody has this number; kept so that both cases look and count alike
    created_at = models.DateTimeField()  # machine time
    expires_at = models.DateTimeField()
    guesses = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "phone", "-created_at"], name="logincode_phone")]


class CustomerSignIn(TenantModel):
    """A browser in which a subscriber is signed in: what he sees of it to know it again. Gone with its session."""

    customer = TenantForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=45)
    agent = models.CharField(max_length=300)
    began_at = models.DateTimeField()  # machine time
    seen_at = models.DateTimeField()  # machine time, to SEEN_EVERY_S

    class Meta:
        indexes = [models.Index(fields=["tenant", "customer", "-seen_at"], name="customersignin_recent")]


class PortalSettings(TenantModel):
    """What a tenant lets people do by themselves. One row per tenant."""

    is_sign_up_open = models.BooleanField(default=True)
    #: Where the lines of whoever signs up are made; none: on the only router there is, else staff decide.
    sign_up_router = TenantForeignKey("network.Router", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="portalsettings_one")]


class Lead(TenantModel):
    """Somebody asked for a line that no router could be chosen for: staff call him."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("lead", "Waiting")
        DONE = "done", _("Line opened")
        DROPPED = "dropped", pgettext_lazy("lead", "Dropped")

    MOVES = Moves({State.OPEN: {State.DONE, State.DROPPED}, State.DONE: set(), State.DROPPED: set()})

    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=16)  # E.164, proven by a code
    address = models.CharField(max_length=200, blank=True)
    package = TenantForeignKey("packages.Package", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "phone"], condition=models.Q(state="open"), name="lead_one_open")
        ]
        indexes = [models.Index(fields=["tenant", "state", "-created_at", "-id"], name="lead_recent")]

    def __str__(self) -> str:
        return self.name
