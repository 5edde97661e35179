"""Colours that can be read, files of others that are as listed, and a first page that is not heavy."""

from __future__ import annotations

import gzip
import hashlib
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests import factories

STATIC = settings.BASE_DIR / "static"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
BUDGET_BYTES = 150_000  # of the staff's first page, compressed

TEXTS = ("text", "muted", "primary", "ok", "warn", "bad", "info")
SURFACES = ("canvas", "surface", "raised")
PILLS = ("primary", "ok", "warn", "bad", "info", "muted")


def tokens(theme: str) -> dict[str, str]:
    """Name → colour of a theme; light overrides what dark says."""
    css = (STATIC / "css/tokens.css").read_text()
    found: dict[str, str] = {}
    for name in ("dark", "light") if theme == "light" else ("dark",):
        block = re.search(rf'\[data-bs-theme="{name}"\]\s*{{(.*?)}}', css, re.S)
        assert block is not None
        found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block[1]))
    return found


def contrast(one: str, other: str) -> float:
    """As WCAG 2.1 counts it: 1 to 21."""

    def light(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *((text, surface, 4.5) for text in TEXTS for surface in SURFACES),
    *((tone, f"pill-{tone}", 4.5) for tone in PILLS),
    ("text", "pill-primary", 4.5),
    *(("on-solid", solid, 4.5) for solid in ("solid", "solid-hover", "solid-ok", "solid-bad", "solid-bad-hover")),
    *(("control-border", surface, 3.0) for surface in SURFACES),
    *(("focus", surface, 3.0) for surface in SURFACES),
    *((f"series-{at}", "surface", 3.0) for at in range(1, 7)),
]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_what_stands_on_a_surface_can_be_read(front: str, back: str, least: float, theme: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[front], colours[back]) >= least


def test_contrast_is_counted_as_the_guideline_does() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_pages_take_their_colours_from_the_tokens() -> None:
    allowed = {*tokens("dark").values(), *tokens("light").values(), "#fff"}  # white behind a QR code, for cameras
    for file in STATIC.glob("css/*.css"):
        assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", file.read_text())) <= allowed, file.name


def test_files_of_others_are_as_listed() -> None:
    page = (settings.BASE_DIR / "docs/vendored-assets.md").read_text()
    listed = dict(re.findall(r"\| `([\w./-]+)`[^|\n]*\|[^|\n]*\| `([0-9a-f]{64})` \|", page))
    there = {
        str(file.relative_to(STATIC / "vendor")): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (STATIC / "vendor").rglob("*")
        if file.is_file() and file.name != "LICENSE"
    }
    assert listed == there
    for folder in (STATIC / "vendor").iterdir():
        assert (folder / "LICENSE").is_file(), folder.name


def test_every_icon_a_page_asks_for_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "img/icons.svg").read_text()))
    for file in (settings.BASE_DIR / "templates").rglob("*.html"):
        asked = set(re.findall(r'components/icon\.html" with name="([^"]+)"', file.read_text()))
        asked |= set(re.findall(r'\bicon="([^"]+)"', file.read_text()))
        assert asked <= known, file.name


def test_the_first_page_of_the_staff_is_not_heavy(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "owner").user, BACKEND)
    page = browser.get("/dashboard/").content
    loaded = {"vendor/inter/inter-latin-wght-normal.woff2"} | {
        found.split("/static/")[1].split("#")[0]
        for found in re.findall(r'(?:href|src)="([^"]*/static/[^"]+)"', page.decode())
    }
    assert {"css/tokens.css", "js/app.js", "img/icons.svg"} <= loaded
    total = len(gzip.compress(page)) + sum(len(gzip.compress((STATIC / name).read_bytes())) for name in loaded)
    assert total <= BUDGET_BYTES
