"""Abstract bases of tenant data, and the kernel's own tables."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel import tenancy
from ispbilling.kernel.ids import uuid7


class TenantManager(models.Manager):
    """Rows of the current tenant. Raises TenantMissing where the database would silently show nothing."""

    def get_queryset(self) -> models.QuerySet[Any]:
        tenancy.wall_check()
        rows = super().get_queryset()
        current = tenancy.tenant_id()
        return rows if current is None else rows.filter(tenant_id=current)


class TenantForeignKey(models.ForeignKey):
    """A key to another row of the same tenant.

    The single-column constraint is left out: foreign-key checks look past row-level security, so the migration
    operation ``ProtectTable`` makes the composite one ``(tenant_id, <column>)``, which cannot leave the tenant.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(*args, **kwargs)


class TenantModel(models.Model):
    """What every tenant-owned table has. The walls come with it: ``makemigrations`` adds ``ProtectTable`` by itself."""

    #: Whether the database refuses to change or delete rows.
    append_only: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant",
        on_delete=models.PROTECT,
        related_name="+",
        default=tenancy.tenant_id_required,
        editable=False,
        db_index=False,
    )

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta:
        abstract = True

    @property
    def tenant_key(self) -> UUID:
        """The tenant's id, never None: every row has one."""
        return UUID(str(self.tenant_id))


class Clock(models.Model):
    """How far product time is ahead of machine time: one row, none in production. See ``kernel.clock``."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    offset_s = models.DecimalField(max_digits=16, decimal_places=6)


class ClockWatch(models.Model):
    """The last reading of the machine's clock that was believed, and what the clock has been since: one row.

    ``boot`` names the machine's start, ``uptime_s`` counts from there. See ``kernel.clockwatch``.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    wall = models.DateTimeField()
    boot = models.CharField(max_length=64)
    uptime_s = models.DecimalField(max_digits=16, decimal_places=3)
    accepted_boot = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16)
    state_boot = models.CharField(max_length=64)
    state_uptime_s = models.DecimalField(max_digits=16, decimal_places=3)


class JobRun(models.Model):
    """A scheduled job took place for a period: the unique row makes a second firing harmless."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    job = models.CharField(max_length=64)
    period = models.CharField(max_length=64)
    ran_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "period"], name="jobrun_once")]


class Heartbeat(models.Model):
    """A worker of a queue wrote this row for the beat: so beat, broker, worker and database all live. One per queue."""

    queue = models.CharField(primary_key=True, max_length=20)
    at = models.DateTimeField()  # machine time


class NextSeq(models.Func):
    """The next number of the outbox: the order in which events were written, over all tenants."""

    template = "nextval('kernel_event_seq')"
    arity = 0
    output_field = models.BigIntegerField()
    allowed_default = True


class Event(TenantModel):
    """One row of the outbox. Written by ``events.emit``, finished by ``outbox.drain``."""

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        PARKED = "parked"

    seq = models.BigIntegerField(db_default=NextSeq(), editable=False)
    name = models.CharField(max_length=80)
    key = models.CharField(max_length=120)
    shard = models.SmallIntegerField()
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(default="")
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["shard", "tenant", "key", "seq"], name="event_pending", condition=models.Q(state="pending")
            ),
            models.Index(fields=["tenant", "key", "seq"], name="event_key", condition=models.Q(state="pending")),
            models.Index(fields=["tenant", "-seq"], name="event_parked", condition=models.Q(state="parked")),
            models.Index(fields=["created_at"], name="event_created"),
        ]


class Receipt(TenantModel):
    """A handler ran for an event. Written in the handler's own transaction; unique, so it runs once."""

    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="receipts", db_index=False)
    handler = models.CharField(max_length=120)
    handled_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "event", "handler"], name="receipt_once")]


class AuditEntry(TenantModel):
    """Who did what to which row, from where. Never changed: the database refuses."""

    append_only = True

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    verb = models.CharField(max_length=80)
    row_type = models.CharField(max_length=80)
    row_id = models.CharField(max_length=80)
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)
    reason = models.TextField(default="")
    source_address = models.CharField(max_length=45, default="")

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "row_type", "row_id", "at"], name="audit_row"),
            models.Index(fields=["tenant", "-at"], name="audit_recent"),
        ]


class IdempotencyKey(TenantModel):
    """An intention named by its caller, with the answer it got."""

    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "scope", "key"], name="idempotency_once")]


class BulkJob(TenantModel):
    """One thing done to many rows: first shown, then confirmed, then done row by row. See ``kernel.bulk``."""

    class State(models.TextChoices):
        PREVIEW = "preview", _("Not started")
        RUNNING = "running", _("At work")
        DONE = "done", _("Done")

    action = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PREVIEW)
    actor = models.CharField(max_length=80)
    undo_of = TenantForeignKey("self", on_delete=models.PROTECT, null=True, related_name="undos")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "undo_of"], condition=models.Q(undo_of__isnull=False), name="bulkjob_undone_once"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="bulkjob_recent"),
            models.Index(fields=["tenant"], name="bulkjob_running", condition=models.Q(state="running")),
        ]


class BulkRow(TenantModel):
    """One row of a job. Its state is written in the transaction that does the thing, so it is done once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Left as it is")
        FAILED = "failed", _("Did not work")

    job = TenantForeignKey(BulkJob, on_delete=models.CASCADE, related_name="rows", db_index=False)
    target = models.UUIDField()
    label = models.CharField(max_length=140)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    note = models.CharField(max_length=200, blank=True)  # what changes, why it is left, or what went wrong
    before = models.JSONField(default=dict)  # what an undo needs to know

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "job", "target"], name="bulkrow_once")]
        indexes = [models.Index(fields=["tenant", "job", "state", "id"], name="bulkrow_state")]
