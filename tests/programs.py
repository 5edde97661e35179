"""A program that talks to the API, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client

from ispbilling.kernel import tenancy
from network.models import Line
from tests import factories


@contextmanager
def outside() -> Iterator[None]:
    """As a server process is between requests: in no tenant, whatever tenant the test itself works in."""
    token = tenancy._tenant.set(None)
    tenancy._apply()
    try:
        yield
    finally:
        tenancy._tenant.reset(token)
        tenancy._apply()


class Program:
    """Sends JSON with a token, from an address of its own."""

    def __init__(self, host: str, token: str = "", address: str = "10.9.0.1") -> None:
        self.client = Client(HTTP_HOST=host, REMOTE_ADDR=address, raise_request_exception=False)
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if self.token:
            named["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        data = b"" if body is None else json.dumps(body).encode()
        with outside():
            return self.client.generic(method, path, data, "application/json", **named)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def signed_in(self, **credentials: str) -> Program:
        answer = self.post("/api/auth/login", credentials)
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["access_token"]
        return self


def host_of(tenant: Any) -> str:
    return f"{tenant.slug}.localhost"


def staff(tenant: Any, role: str = "owner") -> Program:
    """A program of a staff member of this role."""
    member = factories.staff_make(tenant, role)
    return Program(host_of(tenant)).signed_in(email=member.user.email, password=factories.PASSWORD)


def subscriber(tenant: Any, line: Any) -> Program:
    """A program of the customer whose line this is."""
    password = Line.objects.get(id=line.id).password.reveal()
    return Program(host_of(tenant)).signed_in(username=line.username, password=password)
