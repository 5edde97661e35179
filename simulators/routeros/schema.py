"""The menus of the router: which properties they have, what may be written to them, what may be done.

A property's ``parse`` turns the text that came in into the text the router prints; it raises ValueError for
what the router would refuse. ``default`` None means the column is absent until somebody sets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from . import values

ROW_VERBS = frozenset({"print", "getall", "add", "set", "remove", "unset", "comment"})
SWITCH_VERBS = frozenset({"enable", "disable"})


@dataclass(frozen=True)
class Property:
    """One settable column. ``reference`` is the menu whose row names are the allowed values; with
    ``address_allowed`` an IPv4 address will do as well; ``other_words`` are allowed beside the names."""

    parse: Callable[[str], str]
    default: str | None = None
    is_required: bool = False
    reference: str | None = None
    address_allowed: bool = False
    other_words: tuple[str, ...] = ()
    allowed_words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Menu:
    """``key`` is the column by which a row may be named instead of by its id; ``unique`` are the columns no
    two rows may share, ``duplicate`` what the router says then; ``fixed`` are columns with a value of
    their own that nobody can set; a ``is_single`` menu has one row without an id."""

    path: str
    properties: Mapping[str, Property] = field(default_factory=dict)
    verbs: frozenset[str] = ROW_VERBS
    key: str | None = "name"
    unique: tuple[str, ...] = ()
    duplicate: str = "already have such entry"
    fixed: Mapping[str, str] = field(default_factory=dict)
    first_id: int = 1
    is_single: bool = False


def text(default: str | None = None, *, required: bool = False) -> Property:
    return Property(str, default, required)


def flag(default: str = "false") -> Property:
    return Property(lambda value: values.bool_text(values.bool_parse(value)), default)


def number(default: str | None = None) -> Property:
    return Property(lambda value: str(int(value)), default)


def duration(default: str | None = None) -> Property:
    return Property(lambda value: values.duration_text(values.duration_parse(value)), default)


def choice(*words: str, default: str | None = None, required: bool = False) -> Property:
    return Property(str, default, required, allowed_words=words)


def rates(default: str | None = "0/0") -> Property:
    return Property(values.rate_pair_text, default)


def reference(menu: str, default: str | None = None, *, words: tuple[str, ...] = ()) -> Property:
    return Property(str, default, reference=menu, other_words=words)


def address_or_pool() -> Property:
    return Property(str, reference="/ip/pool", address_allowed=True)


def _rate_limit(value: str) -> str:
    values.rate_limit_parse(value)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except ZoneInfoNotFoundError as error:
        raise ValueError(value) from error
    return value


def _ranges(value: str) -> str:
    values.ranges_parse(value)
    return value


SECRET = Menu(
    "/ppp/secret",
    {
        "name": text(required=True),
        "service": choice("any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp", default="any"),
        "caller-id": text(""),
        "password": text(""),
        "profile": reference("/ppp/profile", "default"),
        "local-address": address_or_pool(),
        "remote-address": address_or_pool(),
        "remote-ipv6-prefix": text(),
        "routes": text(""),
        "limit-bytes-in": number("0"),
        "limit-bytes-out": number("0"),
        "disabled": flag(),
        "comment": text(),
    },
    verbs=ROW_VERBS | SWITCH_VERBS,
    unique=("name",),
    duplicate="secret with the same name already exists",
)

_PROFILE_SWITCH = ("yes", "no", "default")
PROFILE = Menu(
    "/ppp/profile",
    {
        "name": text(required=True),
        "local-address": address_or_pool(),
        "remote-address": address_or_pool(),
        "use-ipv6": choice(*_PROFILE_SWITCH, "required", default="yes"),
        "use-mpls": choice(*_PROFILE_SWITCH, "required", default="default"),
        "use-compression": choice(*_PROFILE_SWITCH, default="default"),
        "use-encryption": choice(*_PROFILE_SWITCH, "required", default="default"),
        "only-one": choice(*_PROFILE_SWITCH, default="default"),
        "change-tcp-mss": choice(*_PROFILE_SWITCH, default="default"),
        "use-upnp": choice(*_PROFILE_SWITCH, default="default"),
        "rate-limit": Property(_rate_limit),
        "address-list": text(""),
        "session-timeout": duration(),
        "idle-timeout": duration(),
        "dns-server": text(),
        "remote-ipv6-prefix-pool": text(),
        "dhcpv6-pd-pool": text(),
        "parent-queue": reference("/queue/simple", words=("none",)),
        "queue-type": text(),
        "insert-queue-before": text(),
        "on-up": text(""),
        "on-down": text(""),
        "comment": text(),
    },
    unique=("name",),
    duplicate="profile with the same name already exists",
    fixed={"default": "false"},
)

ACTIVE = Menu(
    "/ppp/active",
    verbs=frozenset({"print", "getall", "remove"}),
    fixed={"encoding": "", "limit-bytes-in": "0", "limit-bytes-out": "0", "radius": "false"},
    first_id=0x80000001,
)

INTERFACE = Menu(
    "/interface",
    {
        "name": text(required=True),
        "mtu": number("1500"),
        "disabled": flag(),
        "comment": text(),
    },
    verbs=frozenset({"print", "getall", "set", "unset", "comment", "monitor-traffic"}) | SWITCH_VERBS,
    unique=("name",),
    duplicate="already have interface with such name",
)

PPPOE_SERVER = Menu(
    "/interface/pppoe-server/server",
    {
        "service-name": text("service1"),
        "interface": reference("/interface"),
        "max-mtu": text("auto"),
        "max-mru": text("auto"),
        "mrru": text("disabled"),
        "authentication": text("pap,chap,mschap1,mschap2"),
        "keepalive-timeout": text("10"),
        "one-session-per-host": flag(),
        "max-sessions": text("unlimited"),
        "pado-delay": text("0"),
        "default-profile": reference("/ppp/profile", "default"),
        "disabled": flag("true"),
        "comment": text(),
    },
    verbs=ROW_VERBS | SWITCH_VERBS,
    key="service-name",
    fixed={"invalid": "false"},
)

POOL = Menu(
    "/ip/pool",
    {
        "name": text(required=True),
        "ranges": Property(_ranges, is_required=True),
        "next-pool": reference("/ip/pool", words=("none",)),
        "comment": text(),
    },
    unique=("name",),
    duplicate="pool with such name exists",
)

ADDRESS_LIST = Menu(
    "/ip/firewall/address-list",
    {
        "list": text(required=True),
        "address": Property(values.address_or_network, is_required=True),
        "timeout": duration(),
        "disabled": flag(),
        "comment": text(),
    },
    verbs=ROW_VERBS | SWITCH_VERBS,
    key=None,
    unique=("list", "address"),
)

_MATCHERS: dict[str, Property] = {
    "chain": text(required=True),
    **{
        name: text()
        for name in (
            "protocol", "src-address", "dst-address", "src-address-list", "dst-address-list", "src-port",
            "dst-port", "in-interface", "out-interface", "in-interface-list", "out-interface-list",
            "connection-state", "connection-nat-state", "layer7-protocol", "content", "tls-host", "limit",
            "packet-mark", "connection-mark", "src-address-type", "dst-address-type", "hotspot", "jump-target",
            "address-list", "address-list-timeout", "comment",
        )
    },
    "log": flag(),
    "log-prefix": text(""),
    "disabled": flag(),
}  # fmt: skip
_RULE_VERBS = ROW_VERBS | SWITCH_VERBS | {"move"}
_RULE_FIXED = {"bytes": "0", "packets": "0", "invalid": "false", "dynamic": "false"}

FILTER = Menu(
    "/ip/firewall/filter",
    {
        **_MATCHERS,
        "action": choice(
            "accept", "add-dst-to-address-list", "add-src-to-address-list", "drop", "fasttrack-connection", "jump",
            "log", "passthrough", "reject", "return", "tarpit", default="accept",
        ),
        "reject-with": text(),
    },
    verbs=_RULE_VERBS,
    key=None,
    fixed=_RULE_FIXED,
)  # fmt: skip

NAT = Menu(
    "/ip/firewall/nat",
    {
        **_MATCHERS,
        "action": choice(
            "accept", "add-dst-to-address-list", "add-src-to-address-list", "dst-nat", "jump", "log", "masquerade",
            "netmap", "passthrough", "redirect", "return", "same", "src-nat", default="accept",
        ),
        "to-addresses": text(),
        "to-ports": text(),
    },
    verbs=_RULE_VERBS,
    key=None,
    fixed=_RULE_FIXED,
)  # fmt: skip

QUEUE = Menu(
    "/queue/simple",
    {
        "name": text(),
        "target": text(required=True),
        "dst": text(),
        "parent": reference("/queue/simple", "none", words=("none",)),
        "packet-marks": text(""),
        "priority": text("8/8"),
        "queue": text("default-small/default-small"),
        "limit-at": rates(),
        "max-limit": rates(),
        "burst-limit": rates(),
        "burst-threshold": rates(),
        "burst-time": text("0s/0s"),
        "time": text(),
        "disabled": flag(),
        "comment": text(),
    },
    verbs=_RULE_VERBS,
    unique=("name",),
    duplicate="already have such name",
    fixed={
        "bytes": "0/0",
        "packets": "0/0",
        "rate": "0/0",
        "dropped": "0/0",
        "queued-bytes": "0/0",
        "invalid": "false",
        "dynamic": "false",
    },
)

_READ_ONLY = frozenset({"print", "getall"})
RESOURCE = Menu("/system/resource", verbs=_READ_ONLY, key=None, is_single=True)
ROUTERBOARD = Menu("/system/routerboard", verbs=_READ_ONLY, key=None, is_single=True)
IDENTITY = Menu("/system/identity", {"name": text("MikroTik")}, verbs=_READ_ONLY | {"set"}, key=None, is_single=True)
CLOCK = Menu(
    "/system/clock",
    {"time-zone-name": Property(_zone, "UTC"), "time-zone-autodetect": flag()},
    verbs=_READ_ONLY | {"set"},
    key=None,
    is_single=True,
)

MENUS = {
    menu.path: menu
    for menu in (
        SECRET, PROFILE, ACTIVE, INTERFACE, PPPOE_SERVER, POOL, ADDRESS_LIST, FILTER, NAT, QUEUE,
        RESOURCE, ROUTERBOARD, IDENTITY, CLOCK,
    )
}  # fmt: skip
