"""What a router driver is: read what is there, apply a difference, read sessions.

A driver knows the wire and the words of one make of router and no table of ours. It works on one open connection,
within one deadline, and is used by one worker at a time. Words are the subscriber's: ``download`` is towards him.
Errors: ``Retryable`` when the router did not answer (nothing is known about what was applied: read again),
``Refused`` ``router.login`` for a wrong password, ``router.certificate`` for a stranger's certificate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from ispbilling.kernel.adapters import Facts
from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class Target:
    """Where a router is and how to get in. ``tls_fingerprint``: SHA-256 of its certificate, hexadecimal, or empty."""

    host: str
    port: int
    username: str
    password: Secret
    use_tls: bool = False
    tls_fingerprint: str = ""
    connect_timeout_s: float = 5.0
    login_timeout_s: float = 10.0  # from the connection to being let in
    answer_timeout_s: float = 10.0  # silence longer than this ends the connection
    total_timeout_s: float = 90.0


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """What the router says of itself. ``uptime_s`` restarts at a reboot."""

    identity: str
    version: str
    board: str
    uptime_s: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A speed and its consequences. Rates in kilobits per second, None = not limited.

    ``wall_list``: the firewall address list that holds everyone on this profile, empty for none.
    """

    name: str
    download_kbps: int | None
    upload_kbps: int | None
    wall_list: str = ""


@dataclass(frozen=True, slots=True)
class LineWanted:
    """A line as it should stand on the router. ``mark`` is how we know it as ours: ``isp:<tenant>:<line id>``."""

    mark: str
    username: str
    password: Secret
    profile: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class ProfileSeen:
    """A profile as read. ``id`` is good on this connection only. ``is_ours`` by its mark."""

    id: str
    profile: Profile
    is_ours: bool


@dataclass(frozen=True, slots=True)
class LineSeen:
    """A line as read. ``password`` is None where the router does not tell it; ``mark`` is empty for a foreign row."""

    id: str
    mark: str
    username: str
    password: Secret | None
    profile: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """A running session, by user name. Bytes are since the session began, None where the router does not tell.

    ``key`` names the session itself, so that a new one of the same user is told from the old one.
    """

    id: str
    username: str
    key: str
    address: str
    mac: str
    uptime_s: int
    download_bytes: int | None = None
    upload_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RouterState:
    """What convergence reads: profiles and lines by name, sessions as a list (a user may have several)."""

    profiles: dict[str, ProfileSeen]
    lines: dict[str, LineSeen]
    sessions: list[SessionSeen]


@dataclass(frozen=True, slots=True)
class LineChange:
    """Give the lines with these ids this profile and enabled state: one command for many lines."""

    ids: tuple[str, ...]
    profile: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class LineRewrite:
    """A line whose name, password or mark differs: written by itself."""

    id: str
    wanted: LineWanted


@dataclass(frozen=True, slots=True)
class Plan:
    """A difference, in the order it is applied. ``disconnect`` names users, whose sessions are found afresh."""

    profiles_add: tuple[Profile, ...] = ()
    profiles_set: tuple[tuple[str, Profile], ...] = ()
    lines_add: tuple[LineWanted, ...] = ()
    lines_rewrite: tuple[LineRewrite, ...] = ()
    lines_change: tuple[LineChange, ...] = ()
    lines_remove: tuple[str, ...] = ()
    disconnect: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


class Does(StrEnum):
    """What becomes of traffic a rule of the wall is about. ``REFUSE``: told at once, so that nobody waits."""

    ALLOW = "allow"
    REDIRECT = "redirect"
    REFUSE = "refuse"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Garden:
    """A destination that is reachable from behind the wall: a host name, an address or a network, on a list."""

    mark: str
    wall_list: str
    destination: str


@dataclass(frozen=True, slots=True)
class WallRule:
    """A rule for traffic of the addresses on the list ``sources``; empty fields do not narrow it.

    ``destinations``: a list, with ``!`` before it for everything that is not on it. ``to_router``: traffic that ends at
    the router itself. ``page``: where redirected traffic goes, ``address:port``.
    """

    mark: str
    does: Does
    sources: str
    destinations: str = ""
    protocol: str = ""
    port: int | None = None
    to_router: bool = False
    page: str = ""


@dataclass(frozen=True, slots=True)
class GardenSeen:
    """A destination as read. Foreign ones have no mark."""

    id: str
    row: Garden
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """A rule as read. ``rule`` is None for what is no rule of a wall, be it foreign or ours and changed by hand."""

    id: str
    mark: str
    rule: WallRule | None
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class WallState:
    """What a router has of the wall, and of others around it: the rules in the order the router goes through them.

    Rows the router makes by itself are left out. ``redirects`` are those that change where traffic goes.
    """

    garden: tuple[GardenSeen, ...]
    rules: tuple[RuleSeen, ...]
    redirects: tuple[RuleSeen, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """``add`` in this order before all rules there are, then remove those with the ids of ``remove``."""

    add: tuple[WallRule, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WallPlan:
    """What must be written for the wall to stand, or to be gone."""

    garden_remove: tuple[str, ...] = ()
    garden_add: tuple[Garden, ...] = ()
    rules: RuleSet = RuleSet()
    redirects: RuleSet = RuleSet()

    def __bool__(self) -> bool:
        return self != WallPlan()


@dataclass(frozen=True, slots=True)
class Applied:
    """What the router refused, in its own words, by user name, profile name, mark or the id of the row as it was read.

    Empty = all was taken.
    """

    refused: dict[str, str] = field(default_factory=dict)


class RouterDriver(ABC):
    """One open connection to one router. Use as a context manager."""

    name: ClassVar[str]
    title: ClassVar[str]
    default_port: ClassVar[int]
    default_tls_port: ClassVar[int]
    facts: ClassVar[Facts]

    @classmethod
    @abstractmethod
    def connect(cls, target: Target) -> RouterDriver:
        """Open and log in. Raises Retryable ``router.away``, Refused ``router.login`` or ``router.certificate``."""

    @abstractmethod
    def describe(self) -> RouterFacts:
        """Identity, version, board, uptime."""

    @abstractmethod
    def read(self) -> RouterState:
        """Everything convergence compares, in few commands whatever the number of lines. Sessions without bytes."""

    @abstractmethod
    def apply(self, plan: Plan) -> Applied:
        """Write a difference: ids in lists, and one by one after the router refused a list.

        Idempotent together with ``read``. A row that is gone meanwhile or is there already is not refused. Ends the
        sessions of ``disconnect`` last. Raises Retryable when the connection broke: what was applied is then unknown.
        """

    @abstractmethod
    def sessions(self) -> list[SessionSeen]:
        """Running sessions with their bytes, in two commands."""

    @abstractmethod
    def read_wall(self) -> WallState:
        """The wall as it stands. Raises Unsupported ``router.wall`` for a router that cannot have one."""

    @abstractmethod
    def apply_wall(self, plan: WallPlan) -> Applied:
        """Write a difference, idempotent together with ``read_wall``; the new rules stand before the old ones go.

        What was refused is named by the mark or the id of its row. Raises Retryable when the connection broke.
        """

    @abstractmethod
    def close(self) -> None:
        """Hang up. Never raises."""

    def __enter__(self) -> RouterDriver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


drivers: Registry[type[RouterDriver]] = Registry("router driver")


def driver(name: str) -> Callable[[type[RouterDriver]], type[RouterDriver]]:
    """Class decorator: makes an adapter known by its name."""

    def add(cls: type[RouterDriver]) -> type[RouterDriver]:
        cls.name = name
        return drivers.register(name)(cls)

    return add
