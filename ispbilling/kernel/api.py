"""The one shape of errors for programs: ``{"error": {"code", "message", "fields"}}``, whoever refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, JsonResponse

PREFIXES = ("/api/", "/hooks/")


def is_asked(request: HttpRequest) -> bool:
    """Whether a program asks, who can do nothing with a page."""
    return request.path.startswith(PREFIXES)


def error(code: str, message: str, status: int, *, fields: Mapping[str, Sequence[str]] | None = None) -> JsonResponse:
    """An error's answer. ``code`` is stable for programs, ``message`` is for people."""
    return JsonResponse({"error": {"code": code, "message": message, "fields": fields or {}}}, status=status)


def unauthenticated(code: str, message: str) -> JsonResponse:
    """A 401, saying how one makes oneself known."""
    answer = error(code, message, 401)
    answer["WWW-Authenticate"] = 'Bearer realm="api"'
    return answer
