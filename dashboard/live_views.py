"""What a member of the staff may hear on open pages (``kernel.live_streams`` asks)."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ispbilling.kernel import access, live


@require_safe
@never_cache
@access.staff("dashboard:view")
def words(request: HttpRequest) -> JsonResponse:
    """Of the words a page asks for, those its viewer's role may hear."""
    granted = request.granted  # type: ignore[attr-defined]
    return live.permit(who=f"user:{request.user.pk}", words=live.staff_words(request.GET.get("words", ""), granted))
