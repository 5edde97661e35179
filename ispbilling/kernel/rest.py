"""The base of every endpoint for programs: who asks, what he sent, how he is refused, how lists are cut into pages.

Who may come in is not decided here: ``kernel.access`` does that for pages and endpoints alike, before a view runs.
A handler runs in one transaction, which an error rolls back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, Generic, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from ispbilling.kernel.errors import DomainError, TooMany, Unauthenticated
from ispbilling.kernel.rest_callers import actor_of_request

M = TypeVar("M", bound=models.Model)


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class Endpoint(APIView):
    """``access`` says who may come in. ``is_atomic`` False: the handler works in transactions of its own."""

    access: ClassVar[Any] = None
    is_atomic: ClassVar[bool] = True
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    @property
    def actor(self) -> str:
        return actor_of_request(self.request._request)

    @property
    def inner(self) -> Any:
        """Django's request, with what the middleware put there: tenant, membership, granted, customer."""
        return self.request._request

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django REST framework's own, with the handler inside a transaction."""
        self.args, self.kwargs = args, kwargs
        made = self.initialize_request(request, *args, **kwargs)
        self.request, self.headers = made, self.default_response_headers
        self.headers["Cache-Control"] = "no-store"
        try:
            self.initial(made, *args, **kwargs)
            name = (made.method or "").lower()
            handler = getattr(self, name, None) if name in self.http_method_names else None
            with transaction.atomic() if self.is_atomic else nullcontext():
                response = (handler or self.http_method_not_allowed)(made, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  it raises again what is no refusal
            response = self.handle_exception(error)
        self.response = self.finalize_response(made, response, *args, **kwargs)
        return self.response

    @classmethod
    def as_view(cls, **given: Any) -> Any:
        """CSRF is checked here as on pages: the middleware leaves it out for whoever comes with a token."""
        view = super().as_view(**given)
        view.csrf_exempt = False
        return view

    def read(self, kind: type[serializers.Serializer], **given: Any) -> dict[str, Any]:
        """The body, checked. Raises ValidationError."""
        serializer = kind(data=self.request.data, **given)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def asked(self, kind: type[serializers.Serializer]) -> dict[str, Any]:
        """The query string, checked; what nobody knows in it is passed over. Raises ValidationError."""
        serializer = kind(data={name: value for name, value in self.request.query_params.items() if value != ""})
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class Shape(serializers.Serializer):
    """What an answer looks like: for the document, and for whoever wants to check one."""


class Strict(serializers.Serializer):
    """A body of which every field is known: a misspelt one is an error, not a silence."""

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            raise serializers.ValidationError({str(name)[:60]: [_("There is no such field.")] for name in unknown})
        return found


def refusal(error: Exception, _context: dict[str, Any]) -> Response | None:
    """The one shape of errors for whatever was raised; None for a bug, which is not hidden."""
    if isinstance(error, DomainError):
        headers = {"WWW-Authenticate": 'Bearer realm="api"'} if isinstance(error, Unauthenticated) else {}
        if isinstance(error, TooMany):
            headers["Retry-After"] = str(error.retry_after_s)
        return _answer(error.code, error.message, error.status, error.fields, headers)
    if isinstance(error, Http404):
        return _answer("not_found", _("There is nothing here."), 404)
    if isinstance(error, PermissionDenied):
        return _answer("forbidden", _("This is not allowed."), 403)
    if isinstance(error, exceptions.ValidationError):
        return _answer("invalid", _("Please look at the fields."), 400, _fields(error.detail))
    if isinstance(error, exceptions.APIException):
        headers = {}
        wait: float | None = getattr(error, "wait", None)  # of Throttled
        if wait is not None:
            headers["Retry-After"] = str(math.ceil(wait))
        code = _CODES.get(error.status_code, "refused")
        return _answer(code, str(error.detail), error.status_code, {}, headers)
    return None


_CODES = {400: "invalid", 401: "auth.required", 403: "forbidden", 404: "not_found", 405: "method", 406: "accept",
          415: "media_type", 429: "too_many"}  # fmt: skip


def _answer(
    code: str, message: str, status: int, fields: Mapping[str, Sequence[str]] | None = None, headers: Any = None
) -> Response:
    body = {"error": {"code": code, "message": message, "fields": fields or {}}}
    return Response(body, status=status, headers=headers)


def _fields(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Errors of fields, those of inner ones by their path: ``{"package.name": ["…"]}``."""
    found: dict[str, list[str]] = {}
    pairs = detail.items() if isinstance(detail, Mapping) else [("", detail)]
    for name, inner in pairs:
        path = f"{prefix}.{name}".strip(".") if name != "non_field_errors" else prefix
        texts = inner if isinstance(inner, list) else [inner]
        for text in texts:
            if isinstance(text, Mapping):
                found.update(_fields(text, path))
            else:
                found.setdefault(path or "body", []).append(str(text))
    return found


# --- Lists --------------------------------------------------------------------------------------------------------

MAX_PAGE_SIZE = 100
#: Beyond this many rows a list is asked for by search or filter; counting pages would read all that lies before.
MAX_PAGE = 10_000


class PageQuery(serializers.Serializer):
    """Which page; every way of naming its size that the seeds know."""

    page = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=1, help_text="From 1.")
    pageSize = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)
    per_page = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)


class Page(Generic[M]):
    """Some rows of a list, and of how many they are."""

    def __init__(
        self, rows: models.QuerySet[M], asked: Mapping[str, Any], *, size: int = 20, total: int | None = None
    ) -> None:
        """``total``: how many there are, where the caller knows it. ``rows`` are in a total order."""
        names = ("pageSize", "page_size", "per_page", "limit")
        self.size = next((int(asked[name]) for name in names if asked.get(name)), size)
        self.number = int(asked.get("page", 1))
        self.total = rows.count() if total is None else total
        self.pages = max(1, math.ceil(self.total / self.size))
        self.rows: list[M] = self._read(rows, (self.number - 1) * self.size)

    def _read(self, rows: models.QuerySet[M], start: int) -> list[M]:
        """Counted from the nearer end: the last page costs what the first does."""
        end = min(start + self.size, self.total)
        if start >= self.total:
            return []
        if start <= self.total // 2:
            return list(rows[start:end])
        return list(rows.reverse()[self.total - end : self.total - start])[::-1]

    def envelope(self) -> dict[str, int]:
        """Both seeds' names; they do not collide."""
        return {
            "total": self.total,
            "page": self.number,
            "pageSize": self.size,
            "pages": self.pages,
            "current_page": self.number,
            "per_page": self.size,
        }


class EnvelopeShape(Shape):
    """What stands beside the rows of every page."""

    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pageSize = serializers.IntegerField()
    pages = serializers.IntegerField()
    current_page = serializers.IntegerField()
    per_page = serializers.IntegerField()
