"""Routers, the lines on them, and the sessions seen."""

from __future__ import annotations

from django.db import models

from billing.entitlement import Level
from ispbilling.kernel.crypto import EncryptedTextField
from ispbilling.kernel.models import TenantForeignKey, TenantModel


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
    retry_at = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)
    version = models.CharField(max_length=60, blank=True)
    board = models.CharField(max_length=60, blank=True)
    uptime_s = models.BigIntegerField(null=True)
    wall_error = models.CharField(max_length=200, blank=True)  # why its wall does not stand as wanted

    #: One writer per router at a time: whoever holds the lease. A worker that dies loses it when the time is over.
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

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


class Session(TenantModel):
    """One time online of a line. Open = no stop. Bytes as the subscriber sees them."""

    line = TenantForeignKey(Line, on_delete=models.PROTECT, related_name="sessions")
    router = TenantForeignKey(Router, on_delete=models.PROTECT, related_name="sessions")
    key = models.CharField(max_length=60)  # the router's own name of this session
    address = models.CharField(max_length=45)
    mac = models.CharField(max_length=17)
    started_at = models.DateTimeField()  # machine time
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
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
        ]


class WallSettings(TenantModel):
    """What else is reachable from behind the wall. One row per tenant."""

    hosts = models.TextField(blank=True)  # one a line: a host name, an address or a network

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="wallsettings_one")]
