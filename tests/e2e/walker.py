"""Every page there is, found as people find them: by following links from where each of them begins.

A page is its entry in the resolver together with the names in its query string (a tab is a page of its own, the second
page of a list is not). Whole pages of the staff without a parameter in their address are entered even where no link
leads, so that none stays unseen because its link is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from django.urls import Resolver404, resolve

from tests.browser import Tab
from tests.e2e.town import CUSTOMER, VISITOR
from tests.house import world

HOMES = {VISITOR: "/client/sign-in/", CUSTOMER: "/client/"}
STAFF_HOME = "/dashboard/"
#: What no link leads to, and people see all the same.
UNLINKED = {
    VISITOR: ["/account/login/", "/account/password/reset/", "/account/password/reset/done/", "/account/inactive/",
              "/account/signup/", "/api/docs/", "/client/nowhere/"],
    "owner": ["/dashboard/nowhere/", "/dashboard/customers/?q=zzzz"],
    CUSTOMER: [],
}  # fmt: skip
#: Leaving is not looking.
LEFT_OUT = {"account_logout", "portal:sign_out"}
PLACE_IN_LIST = {"after", "before"}
#: Filters that are links make more combinations of names than there are pages.
VARIANTS_MOST = 3


@dataclass(frozen=True)
class Place:
    """``name``: the entry in the resolver, and what its query string names."""

    name: str
    path: str

    @property
    def view(self) -> str:
        return self.name.partition("?")[0]


def place_of(path: str) -> Place | None:
    """None for what the product does not serve as a page."""
    split = urlsplit(path)
    try:
        name = resolve(split.path).view_name
    except Resolver404:
        name = f"nothing at {split.path.split('/')[1]}"
    if name in LEFT_OUT or split.path.startswith("/static/"):
        return None
    asked = sorted({key for key, value in parse_qsl(split.query) if value} - PLACE_IN_LIST)
    return Place(f"{name}?{'&'.join(asked)}" if asked else name, path)


def walk(tab: Tab, who: str, seen: set[str]) -> Iterator[Place]:
    """Each page somebody comes to that is not in ``seen``, open in ``tab``. Adds to ``seen``."""
    begin = HOMES.get(who, STAFF_HOME)
    entered = _without_parameters(who)
    todo = [begin, *UNLINKED.get(who, []), *entered]
    variants = Counter(name.partition("?")[0] for name in seen)
    while todo:
        place = place_of(todo.pop(0))
        # Where somebody begins looks different to everybody.
        is_new = place is not None and (place.name not in seen or (place.path == begin and who != "owner"))
        if place is None or not is_new or variants[place.view] >= VARIANTS_MOST:
            continue
        # A link that leads to nothing is a fault; a logo that was never uploaded is none.
        if not _is_page(tab, place.path, {200} if place.path in entered else {200, 404}):
            seen.add(place.name)
            continue
        tab.expected = {404} if place.name.startswith("nothing") else set()
        tab.open(place.path)
        seen.add(place.name)
        variants[place.view] += 1
        todo += links(tab)
        if begin == place.path:
            begin = ""
        yield place


def links(tab: Tab) -> list[str]:
    """Where the page leads, inside the provider's own pages."""
    here = tab.page.url
    found = tab.page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
    whole = [urlsplit(urljoin(here, one)) for one in found if not one.startswith(("#", "tel:", "mailto:"))]
    own = [one for one in whole if one.netloc == urlsplit(here).netloc]
    return [one.path + (f"?{one.query}" if one.query else "") for one in own]


def _without_parameters(who: str) -> list[str]:
    if who == "owner":
        return [one.path({}) for one in world.STAFF if not one.parameters and one.is_plain]
    if who == CUSTOMER:
        return [one.path({}) for one in world.CUSTOMER if not one.parameters and one.is_plain]
    return []


def _is_page(tab: Tab, path: str, statuses: set[int]) -> bool:
    """Whether it is a whole page: no file, no part of a page, no door that takes nothing but a form."""
    site = urlsplit(tab.site)
    cookies = tab.page.context.cookies(tab.site)
    headers = {"Host": site.netloc, "Cookie": "; ".join(f"{one['name']}={one['value']}" for one in cookies)}
    # The browser knows that every name under localhost is this machine; others ask a server of names.
    url = f"http://127.0.0.1:{site.port}{path}"
    with requests.get(url, headers=headers, allow_redirects=False, timeout=60, stream=True) as answer:
        # Looked at before it is read: a stream of what happens has no end.
        is_shown = answer.status_code in statuses and "text/html" in answer.headers.get("content-type", "")
        return is_shown and answer.text.lstrip()[:9].lower() == "<!doctype"
