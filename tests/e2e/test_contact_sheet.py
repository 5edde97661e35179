"""``bin/test --contact-sheet``: pictures of every page on one sheet, for whoever looks at all of them at once.

axe looks at each of them too; what it finds stands beside the picture, and makes the run red.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import Tab
from tests.e2e.eyes import NARROW, THEMES, WIDE, axe, sized, theme_set
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
    parts, seen, wrong = [_HEAD], set[str](), list[str]()
    for who in PEOPLE:
        with town.visit(browser, who) as tab:
            for place in walk(tab, who, seen):
                name = re.sub(r"[^a-z0-9]+", "-", f"{who}-{place.name}".lower())
                parts.append(f"<h2>{escape(f'{who}: {place.name}')}</h2><p>{escape(place.path)}</p><div>")
                found = []
                for kind, file, faults in _pictures(tab, sheet, name):
                    link = f'<a href="{file}"><img class="{kind}" loading="lazy" src="{file}" alt="{file}"></a>'
                    parts.append(link)
                    found += [f"{file}: {fault}" for fault in faults]
                parts.append("</div>" + "".join(f"<p>{escape(one)}</p>" for one in found))
                wrong += found
            tab.complaints.clear()  # the eyes' matter: a sheet is also made of what is not good yet
    (sheet / "index.html").write_text("\n".join(parts))
    assert wrong == [], "\n".join(wrong)


def _pictures(tab: Tab, sheet: Path, name: str) -> Iterator[tuple[str, str, list[str]]]:
    """(wide or narrow, file, what axe finds) of the page in both themes and both widths."""
    url = tab.page.url
    for theme in THEMES:
        theme_set(tab, theme)
        tab.open(url)
        for kind, width in (("wide", WIDE), ("narrow", NARROW)):
            sized(tab, width)
            file = f"{name}-{theme}-{width}.png"
            tab.page.screenshot(path=sheet / file, full_page=True)
            yield kind, file, axe(tab.page)
    sized(tab, WIDE)
