"""The OpenAPI document, and a page to read and try it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ispbilling.kernel import access
from ispbilling.kernel.rest import Endpoint


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The same for everybody, as long as this process lives."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def as_yaml() -> str:
    """As it lies in docs/openapi.yaml."""
    text: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})  # type: ignore[no-untyped-call]
    return text.decode()


@access.public("the document tells what there is, and nothing of anybody")
class Schema(Endpoint):
    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(document())


@require_safe
@access.public("whoever writes a program reads this before he has a token")
def docs(request: HttpRequest) -> HttpResponse:
    """The document as a page."""
    return render(request, "api/docs.html")
