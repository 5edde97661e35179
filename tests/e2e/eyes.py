"""What is looked at on every page: axe, the width, the keyboard, stillness, headings.

Each function answers what is wrong, in words; an empty list is a good page. axe comes in through the debugger's
protocol, past the page's own Content-Security-Policy, which therefore stays as visitors have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.browser import Tab

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
THEMES = ("dark", "light")
WIDE, NARROW = 1440, 360
HEIGHT = 900
#: 320 px: a small telephone. 640 px: a window of 1,280 px at 200 %.
NO_SIDEWAYS = (320, 640)
SKIP_LINK = ".skip-link"
#: Inner fields of a date or a time are stops of their own inside one element.
INNER_STOPS_MOST = 8

_ACTIONABLE = """() => {
  const wanted = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]';
  const groups = new Set();
  const shown = [...document.querySelectorAll(wanted)].filter(one => {
    if (one.tabIndex < 0 || one.disabled || one.closest('[inert]')) return false;
    if (!one.checkVisibility({ visibilityProperty: true })) return false;
    if (one.type !== 'radio') return true;
    const group = `${one.form ? [...document.forms].indexOf(one.form) : ''}/${one.name}`;
    const checked = one.name && document.querySelector(`input[type=radio][name="${CSS.escape(one.name)}"]:checked`);
    if (groups.has(group) || (checked && checked.form === one.form && checked !== one)) return false;
    groups.add(group);
    return true;
  });
  window.__stops = shown;
  return shown.map(one => `${one.tagName.toLowerCase()} ${(one.getAttribute('aria-label') || one.textContent ||
    one.name || one.id || '').trim().replace(/\\s+/g, ' ').slice(0, 40)}`);
}"""

#: Blurring alone would leave the next Tab where a field was that had the focus from the start.
_TO_THE_TOP = """() => {
  const first = document.createElement('span');
  first.tabIndex = -1;
  document.body.prepend(first);
  first.focus();
  first.remove();
  window.scrollTo(0, 0);
}"""

#: The stops the skip link leaves behind. None, when it did not lead to the page's own part.
_BEFORE_MAIN = """() => {
  const main = document.activeElement;
  if (main.tagName !== 'MAIN') return [];
  const before = one => main.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING;
  return window.__stops.flatMap((one, number) => before(one) ? [number] : []);
}"""

#: Where the keyboard stands: its place among the stops (-1: on none of them), and whether one sees it.
_STANDING = """async () => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const inside = () => {
    const box = one.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  };
  // The page moves to where the keyboard is a frame or more after the keyboard got there.
  for (let frames = 0; frames < 300 && (frames === 0 || !inside()); frames++) {
    await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)));
  }
  const marked = element => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1);
  };
  const ring = element => getComputedStyle(element).boxShadow !== 'none';
  const around = one.closest('label');
  return {
    stop: window.__stops.indexOf(one),
    isSeen: marked(one) || (one.matches('input, select, textarea, button, .btn') && ring(one)) ||
      (around ? marked(around) : false),
    isInside: inside(),
    name: `${one.tagName.toLowerCase()} ${(one.textContent || one.name || '').trim().slice(0, 40)}`,
  };
}"""

_MOVING = """() => {
  const seconds = text => Math.max(...text.split(',').map(one => parseFloat(one) * (one.includes('ms') ? 0.001 : 1)));
  const name = one => `${one.tagName.toLowerCase()}.${[...one.classList].join('.')}`;
  const long = [...document.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    return seconds(style.transitionDuration) > 0.01 ||
      (style.animationName !== 'none' && seconds(style.animationDuration) > 0.01);
  });
  return [...new Set(long.map(name))].slice(0, 5);
}"""

_HEADINGS = """() => [...document.querySelectorAll('main h1, main h2, main h3, main h4, main h5, main h6')]
  .filter(one => one.checkVisibility()).map(one => [Number(one.tagName[1]), one.textContent.trim().slice(0, 40)])"""

_TOO_WIDE = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return null;
  const reach = one => one.getBoundingClientRect().right;
  const scrolls = one => one && one !== root && one !== document.body &&
    (['auto', 'scroll', 'hidden'].includes(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  const widest = [...document.querySelectorAll('body *')].filter(one => !scrolls(one.parentElement))
    .sort((a, b) => reach(b) - reach(a))[0];
  return `${root.scrollWidth} px: ${widest.tagName.toLowerCase()}.${[...widest.classList].join('.')}`;
}"""

_GROUND = """() => {
  const parts = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
  return (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255;
}"""


@cache
def _axe_source() -> str:
    return AXE.read_text()


def theme_set(tab: Tab, theme: str) -> None:
    """As whoever chose it, or whose system says so."""
    tab.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    host = urlsplit(tab.page.url).hostname or ""
    tab.page.context.add_cookies([{"name": "theme", "value": theme, "domain": host, "path": "/"}])


def sized(tab: Tab, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": HEIGHT})
    tab.page.wait_for_timeout(100)


def look(tab: Tab, *, with_shell: bool = True) -> list[str]:
    """Everything that is wrong with the page the tab stands on.

    Every element is measured in both themes and both widths, in two runs: what one theme does to colours it does at
    every width, and what a width does to sizes it does in every theme. ``with_shell``: the keyboard walks through the
    navigation too; otherwise it comes by the skip link, as people do who have been there before.
    """
    url = tab.page.url
    wrong: list[str] = []
    for theme, width in (("light", NARROW), ("dark", WIDE)):
        theme_set(tab, theme)
        sized(tab, width)
        tab.open(url)
        wrong += [f"{theme}: {one}" for one in ground(tab.page, theme)]
        wrong += [f"{theme} {width}: {one}" for one in axe(tab.page)]
    wrong += headings(tab.page)
    wrong += keyboard(tab.page, with_shell=with_shell)
    wrong += stillness(tab.page)
    for width in NO_SIDEWAYS:
        sized(tab, width)
        wrong += [f"{width}: {one}" for one in sideways(tab.page)]
    return wrong


def axe(page: Page) -> list[str]:
    """Every violation of every rule, with the first place where it is."""
    protocol = page.context.new_cdp_session(page)
    try:
        protocol.send("Runtime.evaluate", {"expression": _axe_source()})
        asked = {
            "expression": "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(one =>"
            " [one.id, one.help, one.nodes.length, one.nodes[0].target.join(' '), one.nodes[0].failureSummary]))",
            "awaitPromise": True,
            "returnByValue": True,
        }
        answer = protocol.send("Runtime.evaluate", asked)
    finally:
        protocol.detach()
    assert "exceptionDetails" not in answer, answer
    return [f"axe {name}: {text} ({count} ×, {place}: {' '.join(why.split())[:240]})"
            for name, text, count, place, why in answer["result"]["value"]]  # fmt: skip


def ground(page: Page, theme: str) -> list[str]:
    """The page has the ground of its theme. One without a theme is paper, which is light."""
    if page.evaluate("!document.documentElement.dataset.bsTheme"):
        theme = "light"
    is_dark = page.evaluate(_GROUND) < 0.5
    return [] if is_dark == (theme == "dark") else ["the page has the other theme's ground"]


def sideways(page: Page) -> list[str]:
    found = page.evaluate(_TOO_WIDE)
    return [f"scrolls sideways: {found}"] if found else []


def headings(page: Page) -> list[str]:
    """One h1, first in the page's own part, and no level left out on the way down."""
    found: list[tuple[int, str]] = page.evaluate(_HEADINGS)
    levels = [level for level, _ in found]
    wrong = [] if levels[:1] == [1] and levels.count(1) == 1 else [f"headings begin with {found[:2]}"]
    steps = pairwise(found)
    return wrong + [f"heading “{after[1]}” leaves a level out" for before, after in steps if after[0] > before[0] + 1]


def keyboard(page: Page, *, with_shell: bool = True) -> list[str]:
    """From the top, Tab comes to everything one can do, shows where it stands, and leaves at the end."""
    names: list[str] = page.evaluate(_ACTIONABLE)
    page.evaluate(_TO_THE_TOP)
    passed: set[int] = set()
    if not with_shell and page.query_selector(SKIP_LINK):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        passed = set(page.evaluate(_BEFORE_MAIN))
    visited: dict[int, dict[str, Any]] = {}
    wrong: list[str] = []
    for standing, is_trap in _tabs(page, len(names) - len(passed)):
        if standing["stop"] in passed:
            break  # round again
        if is_trap:
            wrong.append(f"the keyboard does not leave {standing['name']}")
            break
        visited.setdefault(standing["stop"], standing)
    unseen = [one["name"] for one in visited.values() if not one["isSeen"]]
    hidden = [one["name"] for one in visited.values() if not one["isInside"]]
    missed = [name for number, name in enumerate(names) if number not in visited.keys() | passed]
    return [
        *wrong,
        *(f"focus is not seen at {name}" for name in unseen[:3]),
        *(f"focus is outside the window at {name}" for name in hidden[:3]),
        *(f"Tab does not reach {name}" for name in missed[:3]),
    ]


def _tabs(page: Page, stops: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Each place the keyboard comes to until it is out again, and whether it is caught there."""
    last, times, first = None, 0, None
    for _ in range(stops * 2 + 40):
        page.keyboard.press("Tab")
        standing = page.evaluate(_STANDING)
        if standing is None:
            return
        times = times + 1 if standing["stop"] == last else 0
        yield standing, times > INNER_STOPS_MOST
        if last is not None and standing["stop"] == first and times == 0:
            return  # round again: a window without a frame has nothing behind its last element
        first = standing["stop"] if first is None else first
        last = standing["stop"]


def stillness(page: Page) -> list[str]:
    """Whoever asked for less motion sees none."""
    page.emulate_media(reduced_motion="reduce")
    try:
        found = page.evaluate(_MOVING)
    finally:
        page.emulate_media(reduced_motion="no-preference")
    return [f"moves in spite of reduced motion: {', '.join(found)}"] if found else []
