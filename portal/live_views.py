"""What a subscriber may hear on open pages (``kernel.live_streams`` asks)."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ispbilling.kernel import access, live


@require_safe
@never_cache
@access.customer()
def words(request: HttpRequest) -> JsonResponse:
    """That something of his own changed, and nothing else."""
    own = f"customer:{request.customer.id}"  # type: ignore[attr-defined]
    return live.permit(who=own, words=[own])
