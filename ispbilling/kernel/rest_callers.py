"""Who a program is to Django REST framework, and how often it may ask. Apart from ``rest``: its settings name these."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from ispbilling.kernel.middleware import client_address


class Known(BaseAuthentication):
    """Whom the middleware knew already, by token, key or session."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        inner: Any = request._request
        return (inner.user, getattr(inner, "caller", None)) if inner.user.is_authenticated else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class Throttle(SimpleRateThrottle):
    """So many requests a minute, by caller or by address."""

    scope = "nobody"

    def __init__(self) -> None:
        """The rate is chosen when the caller is known."""

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = actor_of_request(request._request)
        self.rate = settings.API_RATES["caller" if caller else "nobody"]
        self.num_requests, self.duration = self.parse_rate(self.rate)
        self.key_of = f"api:{caller or client_address(request._request)}"
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: Any) -> str:
        return self.key_of


def actor_of_request(request: HttpRequest) -> str:
    """How whoever asks is named in the audit; empty for nobody."""
    caller: Any = getattr(request, "caller", None)
    if caller is not None and caller.membership is None:
        return f"customer:{caller.subject_id}"
    if getattr(request, "membership", None) is not None:
        return f"user:{request.user.pk}"
    customer: Any = getattr(request, "customer", None)
    return f"customer:{customer.id}" if customer is not None else ""


class Json(JSONParser):
    """JSON that nests deeper than anybody means it is refused like any other nonsense."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - too deep") from error
