"""The wall: what somebody who has not paid reaches, and what becomes of everything else. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from network.drivers.base import Does, Garden, RuleSeen, RuleSet, WallPlan, WallRule, WallState

WALL_LIST = "isp-walled"
GARDEN_LIST = "isp-garden"
MARK = "isp:wall:"
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def garden_of(destinations: Iterable[str]) -> list[Garden]:
    """One row for each destination, sorted, each once."""
    names = sorted({one.strip().lower().rstrip(".") for one in destinations} - {""})
    return [Garden(f"{MARK}garden:{name}", GARDEN_LIST, name) for name in names]


def destination_read(text: str) -> str:
    """A host name, an IPv4 address or a network as it goes on the list. Raises ValueError for anything else.

    Names stand for themselves: a router knows no ``*``.
    """
    name = text.strip().lower().rstrip(".")
    if re.fullmatch(r"[0-9./]+", name):
        network = ipaddress.IPv4Network(name)
        if network.prefixlen == 0:
            raise ValueError(text)
        return str(network).removesuffix("/32")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError(text)
    return name


def rules_of(*, has_garden: bool) -> list[WallRule]:
    """Names can be asked for and the garden is open; the rest of TCP is refused, so that no browser waits.

    DNS may go to any server: a box may have been told another than its router.
    """
    names = [
        WallRule(
            f"{MARK}dns-{protocol}-{where}", Does.ALLOW, WALL_LIST, protocol=protocol, port=53, to_router=is_router
        )
        for where, is_router in (("router", True), ("through", False))
        for protocol in ("udp", "tcp")
    ]
    garden = [WallRule(f"{MARK}garden", Does.ALLOW, WALL_LIST, destinations=GARDEN_LIST)] if has_garden else []
    refused = WallRule(f"{MARK}refuse", Does.REFUSE, WALL_LIST, protocol="tcp")
    return [*names, *garden, refused, WallRule(f"{MARK}drop", Does.DROP, WALL_LIST)]


def redirects_of(page: str) -> list[WallRule]:
    """Plain HTTP to anywhere but the garden goes to ``page`` (``address:port``), without one nowhere."""
    if not page:
        return []
    return [
        WallRule(
            f"{MARK}page", Does.REDIRECT, WALL_LIST, destinations=f"!{GARDEN_LIST}", protocol="tcp", port=80, page=page
        )
    ]


def wall_difference(
    *, garden: Sequence[Garden], rules: Sequence[WallRule], redirects: Sequence[WallRule], state: WallState
) -> WallPlan:
    """What must be written; nothing wanted means no wall. Rows without our mark are never touched.

    A destination that somebody else has put on our list is reachable already and is not put there twice.
    """
    wanted = {one.mark: one for one in garden}
    theirs = {(one.row.wall_list, one.row.destination) for one in state.garden if not one.row.mark and one.is_enabled}
    right: set[str] = set()
    remove = []
    for seen in state.garden:
        if not seen.row.mark:
            continue
        is_right = seen.is_enabled and wanted.get(seen.row.mark) == seen.row and seen.row.mark not in right
        if is_right:
            right.add(seen.row.mark)
        else:
            remove.append(seen.id)
    add = [one for one in garden if one.mark not in right and (one.wall_list, one.destination) not in theirs]
    return WallPlan(
        garden_remove=tuple(remove),
        garden_add=tuple(add),
        rules=_rule_set(rules, state.rules),
        redirects=_rule_set(redirects, state.redirects),
    )


def _rule_set(wanted: Sequence[WallRule], seen: Sequence[RuleSeen]) -> RuleSet:
    """Rules are few and mean something together only: whatever is not as it should be, all are written anew."""
    ours = [one for one in seen if one.mark]
    first = [one.rule for one in seen[: len(wanted)] if one.is_enabled]
    if first == list(wanted) and len(ours) == len(wanted):
        return RuleSet()
    return RuleSet(add=tuple(wanted), remove=tuple(one.id for one in ours))
