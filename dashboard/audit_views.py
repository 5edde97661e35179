"""The audit, for whoever may read it: filtered, page by page, or as a file."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard import audit
from dashboard.forms import AuditForm
from ispbilling.kernel import access
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.models import AuditEntry
from ispbilling.kernel.paging import page_of
from ispbilling.kernel.sheets import csv_response
from ispbilling.kernel.templatetags.show import local_time

#: How many entries one file holds: more are narrowed by days first.
MOST = 50_000


@require_safe
@never_cache
@access.staff("audit:view")
def browse(request: HttpRequest) -> HttpResponse:
    """What was done, newest first."""
    form, rows = _chosen(request)
    page = page_of(request, rows, by="at")
    zone = request.tenant.zone_info  # type: ignore[attr-defined]
    role = request.membership.role  # type: ignore[attr-defined]
    asked = {name: value for name, value in request.GET.items() if name in form.fields and value}
    context = {
        "form": form,
        "page": page,
        "rows": audit.told(page.rows, role=role, zone=zone, currency=request.tenant.currency),  # type: ignore[attr-defined]
        "is_filtered": bool(asked),
        "query": urlencode(asked),
    }
    return render(request, "dashboard/audit.html", context, status=422 if form.errors else 200)


@require_safe
@never_cache
@access.staff("audit:view")
def export(request: HttpRequest) -> HttpResponse:
    """The entries the filter leaves, as a file."""
    _form, rows = _chosen(request)
    found = list(rows.order_by("-at", "-id")[: MOST + 1])
    if len(found) > MOST:
        raise DomainError("audit.many", _("That is more than 50,000 entries. Choose fewer days."))
    zone = request.tenant.zone_info  # type: ignore[attr-defined]
    role = request.membership.role  # type: ignore[attr-defined]
    lines = []
    for told in audit.told(found, role=role, zone=zone, currency=request.tenant.currency):  # type: ignore[attr-defined]
        entry = told.entry
        changes: list[audit.Change] = audit.changes_of(entry, zone, longest=100_000)
        old = {one.name: one.old for one in changes if one.old}
        new = {one.name: one.new for one in changes if one.new}
        lines.append([
            entry.at.isoformat(), local_time(entry.at, zone), told.who, entry.actor, entry.verb, entry.row_type,
            entry.row_id, _json(old), _json(new), entry.reason, entry.source_address,
        ])  # fmt: skip
    header = ["at", "local", "who", "actor", "verb", "row_type", "row_id", "old", "new", "reason", "address"]
    return csv_response(f"audit-{request.tenant.slug}", header, lines)  # type: ignore[attr-defined]


def _json(values: dict[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False) if values else ""


def _chosen(request: HttpRequest) -> tuple[AuditForm, Any]:
    """The filter as it was asked for, and what it leaves: nothing for one that makes no sense."""
    form = AuditForm(request.GET)
    if not form.is_valid():
        return form, AuditEntry.objects.none()
    return form, audit.entries(form.cleaned_data, request.tenant.zone_info)  # type: ignore[attr-defined]
