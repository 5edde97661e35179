"""Doing one thing to many customers: chosen, shown, confirmed, watched, taken back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.services import actor_of
from dashboard.customer_forms import CustomerFilterForm
from dashboard.customer_list import customers_wanted
from ispbilling.kernel import access, bulk, clock
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.models import BulkJob, BulkRow
from ispbilling.kernel.paging import page_of
from packages.selectors import packages_on_sale


class ExtendForm(forms.Form):
    days = forms.IntegerField(label=gettext_lazy("Days"), min_value=1, max_value=90, initial=1)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=160)


class PackageForm(forms.Form):
    package = forms.ChoiceField(
        label=gettext_lazy("Package"),
        help_text=gettext_lazy("What is paid for runs out first. It can be taken back until then."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["package"].choices = [(str(row.id), row.name) for row in packages_on_sale()]

    def clean(self) -> dict[str, Any]:
        """The name stays with the job: its pages say it without asking."""
        found, fields = super().clean() or {}, self.fields
        names: dict[str, str] = dict(fields["package"].choices)  # type: ignore[attr-defined]
        return {**found, "package_name": names[found["package"]]} if "package" in found else found


class HoldForm(forms.Form):
    until = forms.DateField(
        label=gettext_lazy("Online until the end of"),
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=160)

    def clean_until(self) -> str:
        day: date = self.cleaned_data["until"]
        today = clock.now().date()
        if not today <= day <= today + timedelta(days=89):
            raise forms.ValidationError(_("Choose a day within the next 89 days."))
        return day.isoformat()


class WriteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=900,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The next page shows its parts and what they cost."),
    )


#: What an action asks for. One without a form asks for nothing.
FORMS: dict[str, type[forms.Form]] = {
    "extend": ExtendForm,
    "package": PackageForm,
    "hold": HoldForm,
    "message": WriteForm,
}
#: What is offered above the list; the others only take something back.
OFFERED = ("extend", "package", "hold", "stop", "go_on", "delete", "message")


def actions_of(granted: Collection[str]) -> list[bulk.Action]:
    """What whoever has these permissions may do to many."""
    return [one for one in bulk.actions() if one.name in OFFERED and one.permission in granted]


@require_POST
@access.staff("customers:bulk")
def plan(request: HttpRequest) -> HttpResponse:
    """Show what an action would do to the chosen, or to all that a filter finds (``all`` and ``query``)."""
    action = _allowed(request, request.POST.get("action", ""))
    parameters: dict[str, Any] = {}
    if action.name in FORMS:
        is_asked = set(FORMS[action.name].base_fields) & set(request.POST)
        form = FORMS[action.name](request.POST if is_asked else None, auto_id="plan_%s")
        if not form.is_valid():
            kept = [(name, value) for name in ("action", "all", "query", "id") for value in request.POST.getlist(name)]
            context = {"action": action, "form": form, "kept": kept}
            return render(request, "dashboard/bulk_ask.html", context, status=422 if is_asked else 200)
        parameters = dict(form.cleaned_data)
    job = bulk.job_plan(
        action=action.name,
        targets=_targets(request),
        parameters=parameters,
        actor=actor_of(request.user.id),  # type: ignore[arg-type]
    )
    return redirect("dashboard:bulk_job", job_id=job.id)


def _targets(request: HttpRequest) -> list[UUID]:
    if request.POST.get("all"):
        form = CustomerFilterForm(QueryDict(request.POST.get("query", "")[:1000]))
        rows = customers_wanted(form.asked(request.tenant.zone_info))  # type: ignore[attr-defined]
        return list(rows.order_by("-created_at", "-id").values_list("id", flat=True)[: bulk.MOST + 1])
    try:
        return [UUID(text) for text in request.POST.getlist("id")[: bulk.MOST + 1]]
    except ValueError:
        raise DomainError("bulk.nobody", _("Nobody is chosen.")) from None


@require_safe
@never_cache
@access.staff("customers:bulk")
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What a job would do, how far it is, or what came of it. Asked by htmx it answers with the live part alone."""
    progress = bulk.job_progress(job_id)
    action = _allowed(request, progress.job.action)
    state = progress.job.state
    shown = {
        BulkJob.State.PREVIEW: [BulkRow.State.WAITING, BulkRow.State.SKIPPED],
        BulkJob.State.RUNNING: [BulkRow.State.FAILED],
        BulkJob.State.DONE: [BulkRow.State.FAILED, BulkRow.State.SKIPPED],
    }[BulkJob.State(state)]
    lists = [
        {"label": one.label, "value": one.value, "count": progress.counts.get(one.value, 0), "rows": rows}
        for one in shown
        if (rows := list(progress.job.rows.filter(state=one).order_by("id")[:100]))
    ]
    effect = ""
    if state == BulkJob.State.PREVIEW:
        waiting = progress.job.rows.filter(state=BulkRow.State.WAITING).values_list("target", "label")
        effect = action.effect([bulk.Plan(target, label) for target, label in waiting], progress.job.parameters)
    context = {
        "job": progress.job,
        "progress": progress,
        "action": action,
        "sentence": action.sentence(progress.job.parameters),
        "lists": lists,
        "effect": effect,
        "is_live": state == BulkJob.State.RUNNING,
        "can_undo": state == BulkJob.State.DONE and action.undone_by and progress.counts.get("done"),
        "can_retry": state == BulkJob.State.DONE and progress.counts.get("failed"),
        "waiting": progress.counts.get("waiting", 0),
        "done": progress.counts.get("done", 0),
        "failed": progress.counts.get("failed", 0),
        "skipped": progress.counts.get("skipped", 0),
    }
    is_part = request.headers.get("HX-Target") == "bulk-live"
    return render(request, "dashboard/_bulk_live.html" if is_part else "dashboard/bulk_job.html", context)


@require_POST
@access.staff("customers:bulk")
def start(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Confirm a job."""
    _allowed(request, bulk.job_progress(job_id).job.action)
    bulk.job_start(job_id=job_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    return redirect("dashboard:bulk_job", job_id=job_id)


@require_POST
@access.staff("customers:bulk")
def undo(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show what taking a job back would do."""
    _allowed(request, bulk.job_progress(job_id).job.action)
    made = bulk.job_undo(job_id=job_id, actor=actor_of(request.user.id))  # type: ignore[arg-type]
    return redirect("dashboard:bulk_job", job_id=made.id)


@require_safe
@access.staff("customers:bulk")
def jobs(request: HttpRequest) -> HttpResponse:
    """What was done to many, newest first."""
    page = page_of(request, BulkJob.objects.exclude(state=BulkJob.State.PREVIEW), by="created_at")
    rows = [(row, bulk.action_get(row.action).sentence(row.parameters)) for row in page.rows]
    return render(request, "dashboard/bulk_jobs.html", {"page": page, "rows": rows})


def _allowed(request: HttpRequest, name: str) -> bulk.Action:
    """The action, when the role has its own permission too. Raises NotFound, PermissionDenied."""
    action = bulk.action_get(name)
    if action.permission not in request.granted:  # type: ignore[attr-defined]
        raise PermissionDenied
    return action
