"""One thing done to many rows, by people: shown first, done row by row, and told what came of it.

A job is made with its rows: what would change in each, or why it is left. Confirmed, a worker does one row per
transaction, together with the row's own mark that it is done. So a worker that is killed at any instant has done a row
and marked it, or neither; whoever comes next goes on with what waits. Several workers may work on one job.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ispbilling.kernel import audit, clock, tenancy, wake
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.models import BulkJob, BulkRow

log = structlog.get_logger(__name__)

#: A job of more rows than this is not taken: it is narrowed by a filter first.
MOST = 20_000
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of one row. ``skip``: why it is left as it is; empty for one that changes as ``note`` says."""

    target: UUID
    label: str
    note: str = ""
    skip: str = ""


class Action(ABC):
    """Something that can be done to many rows. One instance is registered per name."""

    name: ClassVar[str]
    title: ClassVar[str | Promise]
    permission: ClassVar[str]
    icon: ClassVar[str] = "check"
    tone: ClassVar[str] = "primary"
    #: The action that takes back what this one did; empty where nothing does.
    undone_by: ClassVar[str] = ""

    @abstractmethod
    def plan(self, targets: Sequence[UUID], parameters: Mapping[str, Any]) -> list[Plan]:
        """What would become of each, in a number of queries that does not grow with them."""

    @abstractmethod
    def act(self, target: UUID, parameters: Mapping[str, Any], *, key: str, actor: str) -> dict[str, Any]:
        """Do it to one, in the open transaction; returns what an undo needs to know. ``key`` names this very act.

        Raises DomainError for what cannot be done to this one.
        """

    def sentence(self, parameters: Mapping[str, Any]) -> str:
        """What the job does, for the head of its pages."""
        return str(self.title)

    def effect(self, plans: Sequence[Plan], parameters: Mapping[str, Any]) -> str:
        """What it costs or brings, for the preview; empty for nothing."""
        return ""

    def undo_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of the job that takes this one back; each of its rows also gets what ``act`` returned."""
        return dict(parameters)


_actions: dict[str, Action] = {}


def register(action: Action) -> None:
    """Raises ValueError for a name that is taken."""
    if action.name in _actions:
        raise ValueError(f"bulk action {action.name!r} is registered twice")
    _actions[action.name] = action


def action_get(name: str) -> Action:
    """Raises NotFound."""
    if name not in _actions:
        raise NotFound("bulk.action", _("That cannot be done to many."))
    return _actions[name]


def actions() -> list[Action]:
    """In the order they were registered."""
    return list(_actions.values())


@transaction.atomic
def job_plan(*, action: str, targets: Sequence[UUID], parameters: Mapping[str, Any], actor: str) -> BulkJob:
    """A job that is shown and not started. Raises NotFound, DomainError ``bulk.nobody``, ``bulk.many``."""
    what = action_get(action)
    wanted = list(dict.fromkeys(targets))
    if not wanted:
        raise DomainError("bulk.nobody", _("Nobody is chosen."))
    if len(wanted) > MOST:
        raise DomainError("bulk.many", _("That is more than %(most)d at once. Narrow the list first.") % {"most": MOST})
    job: BulkJob = BulkJob.objects.create(
        action=action, parameters=dict(parameters), actor=actor, created_at=clock.now()
    )
    for start in range(0, len(wanted), _BATCH):
        _rows_write(job, what.plan(wanted[start : start + _BATCH], parameters))
    if not job.rows.exists():
        raise DomainError("bulk.nobody", _("Nobody is chosen."))
    return job


def _rows_write(job: BulkJob, plans: Sequence[Plan]) -> None:
    BulkRow.objects.bulk_create(
        BulkRow(
            job=job,
            target=plan.target,
            label=plan.label[:140],
            state=BulkRow.State.SKIPPED if plan.skip else BulkRow.State.WAITING,
            note=(plan.skip or plan.note)[:200],
        )
        for plan in plans
    )


@transaction.atomic
def job_start(*, job_id: UUID, actor: str) -> BulkJob:
    """Confirm a job, or try again what did not work of one that is done. One at work is given again, so that a form
    sent twice starts one. Raises NotFound.
    """
    job = _locked(job_id)
    if job.state == BulkJob.State.DONE and not job.undos.exists():
        if not job.rows.filter(state=BulkRow.State.FAILED).update(state=BulkRow.State.WAITING, note=""):
            return job
        job.finished_at = None
    elif job.state != BulkJob.State.PREVIEW:
        return job
    job.state, job.started_at, job.actor = BulkJob.State.RUNNING, clock.now(), actor
    job.save(update_fields=["state", "started_at", "finished_at", "actor"])
    waiting = job.rows.filter(state=BulkRow.State.WAITING).count()
    audit.record(
        actor=actor, verb=f"bulk.{job.action}", row=job, new={"rows": waiting, "parameters": dict(job.parameters)}
    )
    wake.on_commit("bulk", [f"{tenancy.tenant_id_required()}/{job.id}"])
    return job


@transaction.atomic
def job_undo(*, job_id: UUID, actor: str) -> BulkJob:
    """A job that takes back what one did: shown, not started. Asked twice it is given again.

    Raises NotFound, Conflict ``bulk.undo`` for a job that is not done or cannot be taken back.
    """
    job = _locked(job_id)
    what = action_get(job.action)
    known: BulkJob | None = job.undos.first()
    if known is not None:
        return known
    if job.state != BulkJob.State.DONE or not what.undone_by:
        raise Conflict("bulk.undo", _("This cannot be taken back."))
    inverse, parameters = action_get(what.undone_by), what.undo_parameters(job.parameters)
    undo: BulkJob = BulkJob.objects.create(
        action=inverse.name, parameters=parameters, actor=actor, undo_of=job, created_at=clock.now()
    )
    done = job.rows.filter(state=BulkRow.State.DONE).order_by("id").values_list("target", "before")
    befores = dict(done)
    targets = list(befores)
    for start in range(0, len(targets), _BATCH):
        _rows_write(undo, inverse.plan(targets[start : start + _BATCH], parameters))
    rows = list(undo.rows.only("id", "target"))
    for row in rows:
        row.before = befores[row.target]
    BulkRow.objects.bulk_update(rows, ["before"], batch_size=_BATCH)
    return undo


def job_run(job_id: UUID) -> int:
    """Do what waits of a job, in the current tenant. Call outside a transaction. Returns how many rows were tried."""
    tried = 0
    while _row_do(job_id):
        tried += 1
    _finish(job_id)
    return tried


def _row_do(job_id: UUID) -> bool:
    """Do the next row that nobody else is doing. False: none waits."""
    row: BulkRow | None = None
    try:
        with transaction.atomic():
            found = _next(job_id)
            if found is None:
                return False
            row, job = found
            parameters = {**job.parameters, **row.before}
            row.before = action_get(job.action).act(row.target, parameters, key=f"bulk:{row.id}", actor=job.actor)
            row.state = BulkRow.State.DONE
            row.save(update_fields=["state", "before"])
            failpoint("kernel.bulk.before_commit")
            return True
    except Exception as error:
        if row is None:
            raise
        if isinstance(error, DomainError):
            _fail(row, str(error.message))
            return True
        # One row's trouble: it is logged and told, and the others go on.
        log.exception("bulk.failed", job=str(job_id), row=str(row.id))
        _fail(row, _("Something went wrong inside. It is written down."))
    return True


def _next(job_id: UUID) -> tuple[BulkRow, BulkJob] | None:
    job: BulkJob | None = BulkJob.objects.filter(id=job_id, state=BulkJob.State.RUNNING).first()
    if job is None:
        return None
    waiting = BulkRow.objects.select_for_update(skip_locked=True, no_key=True)
    row: BulkRow | None = waiting.filter(job=job, state=BulkRow.State.WAITING).order_by("id").first()
    return (row, job) if row is not None else None


@transaction.atomic
def _fail(row: BulkRow, why: str) -> None:
    waiting = BulkRow.objects.filter(id=row.id, state=BulkRow.State.WAITING)
    waiting.update(state=BulkRow.State.FAILED, note=why[:200])


@transaction.atomic
def _finish(job_id: UUID) -> None:
    job = _locked(job_id)
    if job.state == BulkJob.State.RUNNING and not job.rows.filter(state=BulkRow.State.WAITING).exists():
        job.state, job.finished_at = BulkJob.State.DONE, clock.now()
        job.save(update_fields=["state", "finished_at"])


def jobs_waiting() -> list[tuple[UUID, UUID]]:
    """(tenant, job) of everything that was confirmed and is not done, over all tenants: for the sweep."""
    with tenancy.platform("bulk: which jobs are not done"):
        rows = BulkJob.objects.filter(state=BulkJob.State.RUNNING, tenant__is_active=True)
        return list(rows.order_by("started_at").values_list("tenant_id", "id"))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    job: BulkJob
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def to_do(self) -> int:
        return self.total - self.counts.get("skipped", 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def tried(self) -> int:
        return self.counts.get("done", 0) + self.counts.get("failed", 0)


def job_progress(job_id: UUID) -> Progress:
    """Two queries. Raises NotFound."""
    job: BulkJob | None = BulkJob.objects.filter(id=job_id).first()
    if job is None:
        raise NotFound("bulk.unknown", _("There is no such job."))
    counts = job.rows.order_by().values_list("state").annotate(rows=Count("id"))
    return Progress(job, dict(counts))


def _locked(job_id: UUID) -> BulkJob:
    job: BulkJob | None = BulkJob.objects.select_for_update(no_key=True).filter(id=job_id).first()
    if job is None:
        raise NotFound("bulk.unknown", _("There is no such job."))
    return job
