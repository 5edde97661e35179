"""The OpenAPI document is what the code says, whole, and can be read as a page under our policy."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from dashboard.api.document import as_yaml, document
from tests.house.world import API


def test_the_document_in_the_repository_is_what_the_code_says() -> None:
    """Written by ``manage.py api_document --write``."""
    assert (settings.BASE_DIR / "docs" / "openapi.yaml").read_text() == as_yaml()


def test_every_endpoint_is_in_the_document_with_its_errors() -> None:
    found = document()
    assert found["openapi"] == "3.1.1"
    paths = {path.replace("{", "<uuid:").replace("}", ">").lstrip("/") for path in found["paths"]}
    wanted = {one.route for one in API if one.name != "api:schema" and not one.name.startswith("api:client")}
    assert paths == wanted
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            assert {"400", "401", "403", "404", "405", "409", "415", "429"} <= set(operation["responses"]), path
            assert operation["operationId"], (path, method)


@pytest.mark.django_db
def test_the_page_of_the_document_carries_no_inline_code(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    answer = Client(HTTP_HOST="nobodys.localhost").get("/api/docs")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "<style" not in text
    assert "style=" not in text
    assert all(part.startswith(" src=") for part in text.split("<script")[1:])
