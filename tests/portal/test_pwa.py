"""What lets a telephone install the portal, and what the first page weighs."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests import factories
from tests.portal.doors import signed_in

BUDGET = 100_000  # bytes, compressed: what a slow network brings in some seconds


def weight(page: str) -> dict[str, int]:
    """What a browser fetches for a page, compressed as it is served."""
    found = {"page": len(gzip.compress(page.encode(), 6))}
    for path in set(re.findall(r'(?:href|src)="/static/([^"#?]+)', page)):
        file = finders.find(path)
        assert isinstance(file, str), path
        content = Path(file).read_bytes()
        is_small_already = path.endswith((".png", ".woff2", ".webp"))
        found[path] = len(content) if is_small_already else len(gzip.compress(content, 6))
    return found


@pytest.mark.parametrize("path", ["", "sign-in/"])
def test_the_first_page_is_light(visitor: Client, tenant: Any, path: str) -> None:
    line = factories.line_make()
    factories.account_make("mpesa")
    page = signed_in(visitor, tenant, line.customer_id).get(f"/client/{path}").content.decode()
    found = weight(page)
    assert sum(found.values()) <= BUDGET, found
    assert [name for name in found if name.endswith(".woff2")] == []


def test_no_page_of_a_customer_asks_for_a_font() -> None:
    css = Path(str(finders.find("css/client.css"))).read_text(encoding="utf-8")
    assert "--bs-body-font-family: system-ui" in css
    assert "url(" not in css


def test_the_manifest_is_the_tenants(visitor: Client, tenant: Any) -> None:
    answer = visitor.get("/client/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    found = json.loads(answer.content)
    assert (found["name"], found["scope"], found["start_url"]) == (tenant.name, "/client/", "/client/")
    for icon in found["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/")), icon


def test_the_worker_keeps_the_shell_and_the_offline_page_alone(visitor: Client) -> None:
    text = visitor.get("/client/sw.js").content.decode()
    kept = json.loads(re.search(r"const SHELL = (.*);", text)[1])  # type: ignore[index]
    assert all(path.startswith("/static/") for path in kept)
    assert re.search(r'const OFFLINE = "(.*)";', text)[1] == "/client/offline/"  # type: ignore[index]
    assert "cache.put" not in text


def test_the_worker_is_a_script_of_the_portals_scope(visitor: Client) -> None:
    answer = visitor.get("/client/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "worker-src 'self'" in answer["Content-Security-Policy"]


def test_the_offline_page_shows_nothing_of_anybody(visitor: Client, tenant: Any) -> None:
    line = factories.line_make(name="Jane Wanjiku")
    page = signed_in(visitor, tenant, line.customer_id).get("/client/offline/").content.decode()
    assert "Your telephone has no internet just now." in page
    assert "Jane" not in page


def test_the_shell_is_what_the_offline_page_is_made_of(visitor: Client) -> None:
    page = visitor.get("/client/offline/").content.decode()
    used = set(re.findall(r'(?:href|src)="(/static/[^"#]+\.(?:css|js))"', page))
    kept = json.loads(re.search(r"const SHELL = (.*);", visitor.get("/client/sw.js").content.decode())[1])  # type: ignore[index]
    assert used - set(kept) == set()
