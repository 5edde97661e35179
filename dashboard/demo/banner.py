"""The strip on staff pages that says how far the demo's history is; nothing where there is no demo."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.demo.progress import progress_read
from ispbilling.kernel import access


def context(request: HttpRequest) -> dict[str, Any]:
    """``demo_progress`` for staff while a history is being made."""
    if getattr(request, "membership", None) is None:
        return {}
    progress = progress_read()
    return {"demo_progress": progress} if progress is not None and not progress.is_complete else {}


@never_cache
@require_safe
@access.staff("dashboard:view")
def progress(request: HttpRequest) -> HttpResponse:
    """The strip alone: it asks for itself every two seconds, and the last one asks no more."""
    found = progress_read()
    values = {"demo_progress": found, "demo_is_complete": found is not None and found.is_complete}
    page = values | {"demo_home": reverse("dashboard:home")}
    return render(request, "dashboard/_demo_progress.html", page)
