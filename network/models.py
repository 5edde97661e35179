"""Routers, the lines on them, and the sessions seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.entitlement import Level
from ispbilling.kernel.crypto import EncryptedTextField
from ispbilling.kernel.models import TenantForeignKey, TenantModel

#: What a line's ``last_error`` says of a row somebody else made; everything else is in the router's words.
FOREIGN_ROW = "The router has a line of this name that is not ours."


class DriftPolicy(models.TextChoices):
    CORRECT = "correct", _("Put right at once")
    KEEP = "keep", _("Shown, and left until someone puts it right")


class Router(TenantModel):
    """A box that lets subscribers in, and what we last knew of it."""

    name = models.CharField(max_length=60)
    driver = models.CharField(max_length=20, default="mikrotik")
    host = models.CharField(max_length=120)
    port = models.PositiveIntegerField()
    username = models.CharField(max_length=60)
    password = EncryptedTextField()
    use_tls = models.BooleanField(default=False)
    tls_fingerprint = models.CharField(max_length=64, blank=True)  # SHA-256, hexadecimal; kept from the first contact
    is_enabled = models.BooleanField(default=True)

    is_up = models.BooleanField(null=True)  # None = never reached
    last_seen_at = models.DateTimeField(null=True)  # machine time, like all below: it is about the machine's world
    last_error = models.CharField(max_length=200, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)
    audited_at = models.DateTimeField(null=True)  # when all its rows were last compared
    #: What happens to rows of ours that somebody changed by hand.
    drift_policy = models.CharField(max_length=8, choices=DriftPolicy.choices, default=DriftPolicy.CORRECT)
    version = models.CharField(max_length=60, blank=True)
    board = models.CharField(max_length=60, blank=True)
    uptime_s = models.BigIntegerField(null=True)
    wall_error = models.CharField(max_length=200, blank=True)  # why its wall does not stand as wanted

    #: One writer per router at a time: whoever holds the lease. A worker that dies loses it at once where the next one
    #: is on the same machine (``kernel.holders``), else when the time is over.
    lease = models.UUIDField(null=True)
    lease_holder = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)

    #: Longer than any contact may take (Target.total_timeout_s): a lease never ends under a living worker.
    LEASE = timedelta(seconds=180)
    BACK_OFF_MAX = timedelta(minutes=5)
    #: While something waits to be written, a router that failed is tried again after no longer than this.
    BACK_OFF_URGENT = timedelta(seconds=10)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="router_name")]

    def __str__(self) -> str:
        return self.name


class Line(TenantModel):
    """A PPPoE account of a subscription on a router: as it should be, and as it was last seen to be.

    ``generation`` counts the wishes; when ``applied_generation`` reaches it, the router was read and found right.
    """

    subscription = TenantForeignKey("billing.Subscription", on_delete=models.PROTECT, related_name="lines")
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="lines")
    router = TenantForeignKey(Router, on_delete=models.PROTECT, related_name="lines")
    username = models.CharField(max_length=60)
    password = EncryptedTextField()

    level = models.CharField(max_length=10, choices=[(level.value, level.value) for level in Level])
    reason = models.CharField(max_length=10)
    download_kbps = models.PositiveIntegerField()
    upload_kbps = models.PositiveIntegerField()
    generation = models.PositiveIntegerField(default=1)
    wished_at = models.DateTimeField(null=True)  # product time of the current wish; None = older than this column

    applied_generation = models.PositiveIntegerField(default=0)
    applied_level = models.CharField(max_length=10, blank=True)
    applied_at = models.DateTimeField(null=True)  # product time
    last_error = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "router", "username"], name="line_username"),
            models.CheckConstraint(
                condition=models.Q(applied_generation__lte=models.F("generation")), name="line_generation"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "router"],
                name="line_dirty",
                condition=~models.Q(applied_generation=models.F("generation")),
            ),
            models.Index(fields=["tenant", "customer"], name="line_customer"),
            models.Index(fields=["tenant", "username"], name="line_name"),
        ]

    @property
    def is_converged(self) -> bool:
        return self.applied_generation == self.generation


class Drift(TenantModel):
    """A row of ours that a hand changed on the router: what was found, how often, and what became of it."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("Left as it is")
        CORRECTED = "corrected", _("Put right")

    router = TenantForeignKey(Router, on_delete=models.PROTECT, related_name="drifts")
    line = TenantForeignKey(Line, on_delete=models.PROTECT, related_name="drifts")
    found = models.CharField(max_length=200)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    times = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()  # machine time
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "line", "found"], name="drift_once")]
        indexes = [models.Index(fields=["tenant", "router", "-last_seen_at"], name="drift_recent")]


class Acknowledgement(TenantModel):
    """A router was read and found to obey a wish, for the first time: the proof that it was carried out.

    What the wish was is copied, as the line forgets it with the next one. Both instants are product time.
    """

    append_only = True

    line = TenantForeignKey(Line, on_delete=models.PROTECT, related_name="acknowledgements", db_index=False)
    generation = models.PositiveIntegerField()
    level = models.CharField(max_length=10, choices=[(level.value, level.value) for level in Level])
    reason = models.CharField(max_length=10)
    download_kbps = models.PositiveIntegerField()
    upload_kbps = models.PositiveIntegerField()
    wished_at = models.DateTimeField(null=True)  # None = wished before that was kept
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "line", "generation"], name="acknowledgement_once"),
        ]
        indexes = [models.Index(fields=["tenant", "line", "-seen_at"], name="acknowledgement_line")]

    @classmethod
    def of(cls, line: Line, seen_at: datetime) -> Acknowledgement:
        """The row for a line's wish as it was when the router was spoken to."""
        copied = ("generation", "level", "reason", "download_kbps", "upload_kbps", "wished_at")
        return cls(line_id=line.id, seen_at=seen_at, **{name: getattr(line, name) for name in copied})


class Session(TenantModel):
    """One time online of a line. Open = no stop. Bytes as the subscriber sees them."""

    class End(models.TextChoices):
        """Why a session stopped, as far as it can be known from outside."""

        LEFT = "left", _("hung up or lost")
        CUT = "cut", _("put behind the wall or cut")
        RENEWED = "renewed", _("ended by us to dial again")
        RESTART = "restart", _("the router restarted")

    line = TenantForeignKey(Line, on_delete=models.PROTECT, related_name="sessions")
    router = TenantForeignKey(Router, on_delete=models.PROTECT, related_name="sessions")
    key = models.CharField(max_length=60)  # the router's own name of this session
    address = models.CharField(max_length=45, db_collation="C")  # found by how it begins
    mac = models.CharField(max_length=17, db_collation="C")
    started_at = models.DateTimeField()  # machine time
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=8, choices=End.choices, blank=True)  # empty = open, or older than this column
    download_bytes = models.BigIntegerField(default=0)
    upload_bytes = models.BigIntegerField(default=0)
    readings = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "line", "key"],
                condition=models.Q(stopped_at__isnull=True),
                name="session_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "line", "-started_at"], name="session_line"),
            models.Index(fields=["tenant", "router"], name="session_open", condition=models.Q(stopped_at=None)),
            models.Index(fields=["tenant", "-started_at"], name="session_began", condition=models.Q(stopped_at=None)),
            models.Index(fields=["tenant", "-stopped_at"], name="session_ended"),
            models.Index(fields=["tenant", "address"], name="session_address", condition=models.Q(stopped_at=None)),
            models.Index(fields=["tenant", "mac"], name="session_mac"),
        ]


class WallSettings(TenantModel):
    """What else is reachable from behind the wall. One row per tenant."""

    hosts = models.TextField(blank=True)  # one a line: a host name, an address or a network

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="wallsettings_one")]
