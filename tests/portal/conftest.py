"""A browser at the tenant's own host."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def visitor(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    return Client(HTTP_HOST=f"{tenant.slug}.localhost")
