"""``bin/test --contact-sheet``: pictures of every page on one sheet, for whoever looks at all of them at once."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import Tab
from tests.e2e.eyes import NARROW, THEMES, WIDE, sized, theme_set
from tests.e2e.test_eyes import PEOPLE
from tests.e2e.town import Town
from tests.e2e.walker import walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(3600)]

_HEAD = """<!doctype html><meta charset="utf-8"><title>Contact sheet</title>
<style>body{font:14px sans-serif;margin:16px}div{display:flex;gap:8px;align-items:start;overflow-x:auto}
img.wide{width:560px}img.narrow{width:180px}img{border:1px solid #888}</style>
<h1>Contact sheet</h1>
"""


def test_contact_sheet(town: Town, browser: Browser, request: pytest.FixtureRequest) -> None:
    folder = request.config.getoption("--contact-sheet")
    if folder is None:
        pytest.skip("pictures are taken by bin/test --contact-sheet")
    sheet = Path(folder)
    sheet.mkdir(parents=True, exist_ok=True)
    for old in sheet.glob("*.png"):
        old.unlink()
    parts, seen = [_HEAD], set[str]()
    for who in PEOPLE:
        with town.visit(browser, who) as tab:
            for place in walk(tab, who, seen):
                name = re.sub(r"[^a-z0-9]+", "-", f"{who}-{place.name}".lower())
                parts.append(f"<h2>{escape(f'{who}: {place.name}')}</h2><p>{escape(place.path)}</p><div>")
                parts += [f'<a href="{file}"><img class="{kind}" loading="lazy" src="{file}" alt="{file}"></a>'
                          for kind, file in _pictures(tab, sheet, name)]  # fmt: skip
                parts.append("</div>")
            tab.complaints.clear()  # the eyes' matter: a sheet is also made of what is not good yet
    (sheet / "index.html").write_text("\n".join(parts))


def _pictures(tab: Tab, sheet: Path, name: str) -> list[tuple[str, str]]:
    """(wide or narrow, file) of the page in both themes and both widths."""
    url, found = tab.page.url, []
    for theme in THEMES:
        theme_set(tab, theme)
        tab.open(url)
        for kind, width in (("wide", WIDE), ("narrow", NARROW)):
            sized(tab, width)
            file = f"{name}-{theme}-{width}.png"
            tab.page.screenshot(path=sheet / file, full_page=True)
            found.append((kind, file))
    sized(tab, WIDE)
    return found
