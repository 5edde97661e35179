"""Lines, profiles and sessions of a MikroTik, in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ispbilling.kernel.adapters import Facts, Proven
from ispbilling.kernel.errors import Retryable, Unsupported
from network.drivers.base import (
    Applied,
    LineChange,
    LineWanted,
    Plan,
    RouterDriver,
    RouterFacts,
    RouterState,
    SessionSeen,
    Target,
    WallPlan,
    WallState,
    driver,
)
from network.drivers.mikrotik import rows, wall, words
from network.drivers.mikrotik.answers import Reply
from network.drivers.mikrotik.batch import Batch, Job, is_gone, is_there, run_leaving_out
from network.drivers.mikrotik.link import Command, Link

Rows = list[dict[str, str]]

#: What a new profile takes over from the router's default one.
ADDRESSING = ("local-address", "remote-address", "dns-server")
_PROFILES: Command = (
    "/ppp/profile/print",
    f"=.proplist=.id,name,rate-limit,address-list,comment,{','.join(ADDRESSING)}",
)
_SECRETS: Command = ("/ppp/secret/print", "=.proplist=.id,name,password,profile,disabled,comment")
_ACCESS: Command = ("/ppp/secret/print", "=.proplist=.id,profile,disabled")
_ACTIVE: Command = ("/ppp/active/print", "=.proplist=.id,name,caller-id,address,uptime,session-id")
_COUNTERS: Command = ("/interface/print", "=.proplist=name,rx-byte,tx-byte", "?type=pppoe-in")


@driver("mikrotik")
class MikroTik(RouterDriver):
    title = "MikroTik RouterOS"
    default_port = 8728
    default_tls_port = 8729
    facts = Facts(
        docs="RouterOS API manual, read 2026-11",
        proven=Proven.SIMULATOR,
        missing={
            "reading passwords back": "needs the policy ‘sensitive’; without it a password changed by hand is not seen",
            "api-ssl without certificate": "anonymous ciphers are refused: give the service a certificate",
        },
    )

    def __init__(self, link: Link) -> None:
        self._link = link
        self._batch = Batch(link)
        self._default_profile: dict[str, str] | None = None

    @classmethod
    def connect(cls, target: Target) -> MikroTik:
        return cls(Link.open(target))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate the router showed, empty without TLS: to be pinned at the first contact."""
        return self._link.fingerprint

    def describe(self) -> RouterFacts:
        resource, identity = self._link.run([("/system/resource/print",), ("/system/identity/print",)])
        first = resource.rows[0] if resource.rows else {}
        return RouterFacts(
            identity=identity.rows[0].get("name", "") if identity.rows else "",
            version=first.get("version", ""),
            board=first.get("board-name", ""),
            uptime_s=words.seconds(first.get("uptime", "")),
        )

    def read(self) -> RouterState:
        profiles, secrets, active = self._print(_PROFILES, _SECRETS, _ACTIVE)
        self._default_profile = next((row for row in profiles if row.get("name") == "default"), {})
        return RouterState(
            profiles={row["name"]: rows.profile_seen(row) for row in profiles if "name" in row},
            lines={row["name"]: rows.line_seen(row) for row in secrets if "name" in row},
            sessions=[rows.session_seen(row) for row in active if "name" in row],
        )

    def sessions(self) -> list[SessionSeen]:
        active, counters = self._print(_ACTIVE, _COUNTERS, needed=1)
        return rows.sessions_counted(active, counters)

    def apply(self, plan: Plan) -> Applied:
        refused: dict[str, str] = {}
        self._write_profiles(plan, refused)
        refused |= self._remove("/ppp/secret", dict.fromkeys(plan.lines_remove, ""))
        self._rewrite(plan, refused)
        self._add_lines(plan.lines_add, refused)
        sessions = self._change(plan.lines_change, refused, is_ending=bool(plan.disconnect))
        if plan.disconnect:
            self._disconnect(set(plan.disconnect), sessions, refused)
        return Applied(refused)

    def read_wall(self) -> WallState:
        replies = self._asked(wall.READ)
        trap = next((reply.trap for reply in replies if reply.trap), "")
        if trap:
            raise Unsupported("router.wall", f"the router has no firewall we may write: {trap}"[:160])
        return wall.wall_seen(*(_each_once(reply.rows) for reply in replies))

    def apply_wall(self, plan: WallPlan) -> Applied:
        return Applied(wall.write(self._link, self._batch, plan, self.read_wall))

    def close(self) -> None:
        self._link.close()

    def _print(self, *commands: Command, needed: int | None = None) -> list[Rows]:
        """The rows of several menus.

        Raises Retryable when one of the first ``needed`` (all) does not tell: no rows and not told are not the same.
        """
        replies = self._asked(commands)
        for command, reply in list(zip(commands, replies, strict=True))[:needed]:
            if reply.trap:
                raise Retryable("router.away", f"the router does not tell {command[0]}: {reply.trap}"[:160])
        return [_each_once(reply.rows) for reply in replies]

    def _asked(self, commands: Sequence[Command]) -> list[Reply]:
        """The answers to prints; a menu that refuses columns or queries is asked for everything."""
        replies = self._link.run(commands)
        plain = [at for at, reply in enumerate(replies) if reply.trap]
        for at, reply in zip(plain, self._link.run([commands[at][:1] for at in plain]), strict=True):
            replies[at] = reply
        return replies

    def _write_profiles(self, plan: Plan, refused: dict[str, str]) -> None:
        profiles = [*plan.profiles_add, *(profile for _, profile in plan.profiles_set)]
        if not profiles:
            return
        inherited = self._addressing() if plan.profiles_add else []
        added: list[Command] = [
            ("/ppp/profile/add", f"=name={profile.name}", *rows.profile_words(profile), *inherited)
            for profile in plan.profiles_add
        ]
        changed: list[Command] = [
            ("/ppp/profile/set", f"=.id={row_id}", *rows.profile_words(profile))
            for row_id, profile in plan.profiles_set
        ]
        answered = run_leaving_out(self._traps, added, ("address-list", "comment", *ADDRESSING))
        answered += run_leaving_out(self._batch.traps_of, changed, ("address-list", "comment"))
        for profile, (trap, left_out) in zip(profiles, answered, strict=True):
            if trap and not is_there(trap):
                refused[profile.name] = trap
            elif profile.wall_list and "address-list" in left_out:
                refused[profile.name] = "this router's profiles know no address-list: nobody is behind the wall"

    def _traps(self, commands: Sequence[Command]) -> list[str]:
        return [reply.trap for reply in self._link.run(commands)]

    def _addressing(self) -> list[str]:
        """A new profile gives addresses as the router's default profile does."""
        if self._default_profile is None:
            self.read()
        row = self._default_profile or {}
        return [f"={name}={row[name]}" for name in ADDRESSING if row.get(name)]

    def _add_lines(self, lines: Sequence[LineWanted], refused: dict[str, str]) -> None:
        commands: list[Command] = [("/ppp/secret/add", "=service=pppoe", *rows.line_words(line)) for line in lines]
        for line, (trap, _) in zip(lines, run_leaving_out(self._traps, commands, ("service",)), strict=True):
            if trap and not is_there(trap):
                refused[line.username] = trap

    def _rewrite(self, plan: Plan, refused: dict[str, str]) -> None:
        jobs = [Job("/ppp/secret/set", (one.id,), tuple(rows.line_words(one.wanted))) for one in plan.lines_rewrite]
        names = {one.id: one.wanted.username for one in plan.lines_rewrite}
        refused |= {names[one]: trap for one, trap in self._batch.run(jobs).items()}

    def _change(self, changes: Sequence[LineChange], refused: dict[str, str], *, is_ending: bool) -> Rows | None:
        """Give lines their profile and state. Returns the sessions read on the way, None when none were read."""
        jobs = [
            Job("/ppp/secret/set", change.ids, rows.access_words(change.profile, change.is_enabled))
            for change in changes
        ]
        if not jobs:
            return None
        refused |= self._batch.run(jobs)
        if all(len(job.ids) == 1 for job in jobs):
            return None
        secrets, *sessions = self._print(_ACCESS, *([_ACTIVE] if is_ending else []))
        shown = {row.get(".id", ""): rows.line_seen({"name": "", **row}) for row in secrets}
        wanted = {one: change for change in changes for one in change.ids}

        def is_right(one: str) -> bool:
            seen, wish = shown.get(one), wanted[one]
            return one in refused or (
                seen is not None and (seen.profile, seen.is_enabled) == (wish.profile, wish.is_enabled)
            )

        refused |= self._batch.one_by_one(self._batch.unproven(jobs, is_right))
        return sessions[0] if sessions else None

    def _disconnect(self, users: set[str], sessions: Rows | None, refused: dict[str, str]) -> None:
        """End their sessions; refused are those whose session the router would not end."""
        active = self._print(_ACTIVE)[0] if sessions is None else sessions
        found = {row[".id"]: row for row in active if row.get("name") in users and ".id" in row}
        traps = self._remove("/ppp/active", {one: row.get("session-id", "") for one, row in found.items()})
        refused |= {found[one]["name"]: trap for one, trap in traps.items()}

    def _remove(self, menu: str, keys: Mapping[str, str]) -> dict[str, str]:
        """Remove rows by their ids, and look whether they are gone. ``keys``: their session-id, since ids are given
        again and a new session is not the old one. Returns what was refused, by id."""
        jobs = [Job(f"{menu}/remove", tuple(keys))] if keys else []
        traps = self._batch.run(jobs)
        if len(keys) > 1:
            [shown] = self._print((f"{menu}/print", "=.proplist=.id,session-id"))
            there = {row.get(".id", ""): row.get("session-id", "") for row in shown}
            left = self._batch.unproven(jobs, lambda one: one in traps or there.get(one) != keys[one])
            traps |= self._batch.one_by_one(left)
        return {one: trap for one, trap in traps.items() if not is_gone(trap)}


def _each_once(found: Rows) -> Rows:
    """A row that is told twice is one row."""
    ids = [row.get(".id", "") for row in found]
    return found if len(set(ids)) == len(ids) or "" in ids else list({row[".id"]: row for row in found}.values())
