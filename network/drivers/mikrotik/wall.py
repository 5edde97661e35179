"""The wall in a MikroTik's words: an address list, filter rules, destination NAT."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from network.drivers.base import Does, Garden, GardenSeen, RuleSeen, RuleSet, WallPlan, WallRule, WallState
from network.drivers.mikrotik import words
from network.drivers.mikrotik.batch import Batch, Job, is_gone, is_there
from network.drivers.mikrotik.link import Command, Link

MARK = "isp:wall:"
LISTS, FILTER, NAT = "/ip/firewall/address-list", "/ip/firewall/filter", "/ip/firewall/nat"

_ACTIONS = {Does.ALLOW: "accept", Does.REDIRECT: "dst-nat", Does.REFUSE: "reject", Does.DROP: "drop"}
_DOES = {action: does for does, action in _ACTIONS.items()}
_PROTOCOLS = {"6": "tcp", "17": "udp"}
#: What a rule of ours says, and what would narrow it when a hand has added it.
_SAID = (
    "chain", "action", "src-address-list", "dst-address-list", "protocol", "dst-port", "reject-with", "to-addresses",
    "to-ports",
)  # fmt: skip
_NARROWING = (
    "src-address", "dst-address", "src-port", "in-interface", "out-interface", "in-interface-list",
    "out-interface-list", "connection-state", "connection-mark", "packet-mark", "limit", "time", "content", "tls-host",
)  # fmt: skip
READ: list[Command] = [
    (f"{LISTS}/print", "=.proplist=.id,list,address,comment,disabled,dynamic"),
    *(
        (f"{menu}/print", f"=.proplist=.id,comment,disabled,dynamic,{','.join((*_SAID, *_NARROWING))}")
        for menu in (FILTER, NAT)
    ),
]

Rows = list[dict[str, str]]


def wall_seen(lists: Rows, filters: Rows, nats: Rows) -> WallState:
    """Rows the router made by itself are left out: nothing can be put before some of them."""
    return WallState(
        garden=tuple(_garden_seen(row) for row in _lasting(lists)),
        rules=tuple(_rule_seen(row) for row in _lasting(filters)),
        redirects=tuple(_rule_seen(row) for row in _lasting(nats)),
    )


def write(link: Link, batch: Batch, plan: WallPlan, read: Callable[[], WallState]) -> dict[str, str]:
    """Write a difference; what was refused, by mark or id."""
    refused = _removed(batch, LISTS, plan.garden_remove)
    adding: list[Command] = [
        (f"{LISTS}/add", f"=list={one.wall_list}", f"=address={one.destination}", f"=comment={one.mark}")
        for one in plan.garden_add
    ]
    for one, reply in zip(plan.garden_add, link.run(adding), strict=True):
        if reply.trap and not is_there(reply.trap):
            refused[one.mark] = reply.trap
    if plan.rules.add or plan.redirects.add:
        state = read()
        refused |= _put_first(link, FILTER, plan.rules, state.rules)
        refused |= _put_first(link, NAT, plan.redirects, state.redirects)
    # The old ones go last, and only when the new ones stand: there is no moment without a wall.
    for menu, rules in ((FILTER, plan.rules), (NAT, plan.redirects)):
        if not any(one.mark in refused for one in rules.add):
            refused |= _removed(batch, menu, rules.remove)
    return refused


def _put_first(link: Link, menu: str, rules: RuleSet, seen: Sequence[RuleSeen]) -> dict[str, str]:
    """Add rules in their order before all others. One after the other: commands under way together have no order."""
    before = [f"=place-before={seen[0].id}"] if seen else []
    for rule in rules.add:
        said = [f"={name}={value}" for name, value in _row_of(rule).items()]
        [reply] = link.run([(f"{menu}/add", *said, f"=comment={rule.mark}", *before)])
        if reply.trap:
            return {rule.mark: reply.trap}
    return {}


def _removed(batch: Batch, menu: str, ids: Sequence[str]) -> dict[str, str]:
    """One by one: they are few, and no list is to be obeyed by half."""
    traps = batch.one_by_one([Job(f"{menu}/remove", (one,)) for one in ids])
    return {one: trap for one, trap in traps.items() if not is_gone(trap)}


def _lasting(rows: Rows) -> Rows:
    return [row for row in rows if not words.is_true(row.get("dynamic", "")) and ".id" in row]


def _mark(row: dict[str, str]) -> str:
    comment = row.get("comment", "")
    return comment if comment.startswith(MARK) else ""


def _is_enabled(row: dict[str, str]) -> bool:
    return not words.is_true(row.get("disabled", ""))


def _garden_seen(row: dict[str, str]) -> GardenSeen:
    garden = Garden(_mark(row), row.get("list", ""), row.get("address", "").removesuffix("/32"))
    return GardenSeen(row[".id"], garden, _is_enabled(row))


def _rule_seen(row: dict[str, str]) -> RuleSeen:
    mark, said = _mark(row), {name: row[name] for name in (*_SAID, *_NARROWING) if row.get(name)}
    if "protocol" in said:
        said["protocol"] = _PROTOCOLS.get(said["protocol"], said["protocol"])
    rule = _rule_of(mark, said) if mark else None
    return RuleSeen(row[".id"], mark, rule if rule and _row_of(rule) == said else None, _is_enabled(row))


def _rule_of(mark: str, said: dict[str, str]) -> WallRule | None:
    does, port = _DOES.get(said.get("action", "")), said.get("dst-port", "")
    if does is None or not (port.isdigit() or not port):
        return None
    return WallRule(
        mark=mark,
        does=does,
        sources=said.get("src-address-list", ""),
        destinations=said.get("dst-address-list", ""),
        protocol=said.get("protocol", ""),
        port=int(port) if port else None,
        to_router=said.get("chain") == "input",
        page=f"{said['to-addresses']}:{said.get('to-ports', '')}" if "to-addresses" in said else "",
    )


def _row_of(rule: WallRule) -> dict[str, str]:
    """The columns of a rule, without those that are empty."""
    address, _, port = rule.page.rpartition(":")
    chain = "dstnat" if rule.does == Does.REDIRECT else "input" if rule.to_router else "forward"
    row = {
        "chain": chain,
        "action": _ACTIONS[rule.does],
        "src-address-list": rule.sources,
        "dst-address-list": rule.destinations,
        "protocol": rule.protocol,
        "dst-port": str(rule.port or ""),
        "reject-with": "tcp-reset" if rule.does == Does.REFUSE else "",
        "to-addresses": address,
        "to-ports": port,
    }
    return {name: value for name, value in row.items() if value}
