"""Lines, profiles and sessions of a MikroTik, in its own words."""

from __future__ import annotations

from collections.abc import Sequence

from ispbilling.kernel.adapters import Facts, Proven
from ispbilling.kernel.crypto import Secret
from network.drivers.base import (
    Applied,
    LineChange,
    LineSeen,
    LineWanted,
    Plan,
    Profile,
    ProfileSeen,
    RouterDriver,
    RouterFacts,
    RouterState,
    SessionSeen,
    Target,
    driver,
)
from network.drivers.mikrotik import words
from network.drivers.mikrotik.link import Command, Link

PROFILE_MARK = "isp:profile"
MARK = "isp:"
IDS_PER_COMMAND = 400

_READ: list[Command] = [
    ("/ppp/profile/print", "=.proplist=.id,name,rate-limit,address-list,comment"),
    ("/ppp/secret/print", "=.proplist=.id,name,password,profile,disabled,comment"),
    ("/ppp/active/print", "=.proplist=.id,name,caller-id,address,uptime,session-id"),
]


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
        name = identity.rows[0].get("name", "") if identity.rows else ""
        return RouterFacts(
            identity=name,
            version=first.get("version", ""),
            board=first.get("board-name", ""),
            uptime_s=words.seconds(first.get("uptime", "")),
        )

    def read(self) -> RouterState:
        profiles, secrets, active = self._link.run(_READ)
        return RouterState(
            profiles={row["name"]: _profile_seen(row) for row in profiles.rows if "name" in row},
            lines={row["name"]: _line_seen(row) for row in secrets.rows if "name" in row},
            sessions=[_session_seen(row) for row in active.rows if "name" in row],
        )

    def sessions(self) -> list[SessionSeen]:
        active, interfaces = self._link.run(
            [_READ[2], ("/interface/print", "=.proplist=name,rx-byte,tx-byte", "?type=pppoe-in")]
        )
        # A second session of one user gets an interface of its own, with a number behind the name.
        counters = {row.get("name", ""): row for row in interfaces.rows}
        seen: list[SessionSeen] = []
        nth: dict[str, int] = {}
        for row in active.rows:
            name = row.get("name", "")
            number = nth.get(name, 0)
            nth[name] = number + 1
            bytes_row = counters.get(f"<pppoe-{name}>" if number == 0 else f"<pppoe-{name}-{number}>", {})
            # The router receives what the subscriber sends: its rx is his upload.
            seen.append(
                _session_seen(row, words.count(bytes_row.get("tx-byte")), words.count(bytes_row.get("rx-byte")))
            )
        return seen

    def apply(self, plan: Plan) -> Applied:
        refused: dict[str, str] = {}
        self._write_profiles(plan, refused)
        refused.update(self._remove("/ppp/secret/remove", plan.lines_remove))
        self._add_lines(plan.lines_add, refused)
        self._rewrite(plan, refused)
        for change in plan.lines_change:
            self._change(change, refused)
        if plan.disconnect:
            refused.update(self._disconnect(set(plan.disconnect)))
        return Applied(refused)

    def _write_profiles(self, plan: Plan, refused: dict[str, str]) -> None:
        if not plan.profiles_add and not plan.profiles_set:
            return
        inherited = self._addressing() if plan.profiles_add else []
        commands: list[Command] = [
            ("/ppp/profile/add", f"=name={profile.name}", *_profile_words(profile), *inherited)
            for profile in plan.profiles_add
        ]
        commands += [
            ("/ppp/profile/set", f"=.id={row_id}", *_profile_words(profile)) for row_id, profile in plan.profiles_set
        ]
        names = [profile.name for profile in plan.profiles_add] + [profile.name for _, profile in plan.profiles_set]
        for name, reply in zip(names, self._link.run(commands), strict=True):
            if reply.trap:
                refused[name] = reply.trap

    def _addressing(self) -> list[str]:
        """A new profile gives addresses as the router's default profile does."""
        columns = ("local-address", "remote-address", "dns-server")
        [reply] = self._link.run([("/ppp/profile/print", f"=.proplist={','.join(columns)}", "?name=default")])
        row = reply.rows[0] if reply.rows else {}
        return [f"={name}={row[name]}" for name in columns if row.get(name)]

    def _add_lines(self, lines: Sequence[LineWanted], refused: dict[str, str]) -> None:
        commands: list[Command] = [("/ppp/secret/add", "=service=pppoe", *_line_words(line)) for line in lines]
        for line, reply in zip(lines, self._link.run(commands), strict=True):
            if reply.trap:
                refused[line.username] = reply.trap

    def _rewrite(self, plan: Plan, refused: dict[str, str]) -> None:
        commands: list[Command] = [
            ("/ppp/secret/set", f"=.id={rewrite.id}", *_line_words(rewrite.wanted)) for rewrite in plan.lines_rewrite
        ]
        for rewrite, reply in zip(plan.lines_rewrite, self._link.run(commands), strict=True):
            if reply.trap:
                refused[rewrite.wanted.username] = reply.trap

    def _change(self, change: LineChange, refused: dict[str, str]) -> None:
        """The whole list in one command; after a refusal each by itself, so that one bad row stops no other."""
        values = (f"=profile={change.profile}", f"=disabled={'no' if change.is_enabled else 'yes'}")
        for start in range(0, len(change.ids), IDS_PER_COMMAND):
            ids = change.ids[start : start + IDS_PER_COMMAND]
            [reply] = self._link.run([("/ppp/secret/set", f"=.id={','.join(ids)}", *values)])
            if reply.trap and len(ids) == 1:
                refused[ids[0]] = reply.trap
            elif reply.trap:
                replies = self._link.run([("/ppp/secret/set", f"=.id={one}", *values) for one in ids])
                refused.update({one: single.trap for one, single in zip(ids, replies, strict=True) if single.trap})

    def _remove(self, command: str, ids: Sequence[str]) -> dict[str, str]:
        """What was refused, by id. Rows that are gone already are what was wanted."""
        refused = {}
        for start in range(0, len(ids), IDS_PER_COMMAND):
            chunk = ids[start : start + IDS_PER_COMMAND]
            [reply] = self._link.run([(command, f"=.id={','.join(chunk)}")])
            if reply.trap:
                replies = self._link.run([(command, f"=.id={one}") for one in chunk])
                traps = {one: single.trap for one, single in zip(chunk, replies, strict=True)}
                refused.update({one: trap for one, trap in traps.items() if trap and "no such item" not in trap})
        return refused

    def _disconnect(self, users: set[str]) -> dict[str, str]:
        """Users whose session the router would not end, with its words."""
        [active] = self._link.run([("/ppp/active/print", "=.proplist=.id,name")])
        names = {row[".id"]: row["name"] for row in active.rows if row.get("name") in users}
        return {names[one]: trap for one, trap in self._remove("/ppp/active/remove", list(names)).items()}

    def close(self) -> None:
        self._link.close()


def _profile_words(profile: Profile) -> list[str]:
    return [
        f"=rate-limit={words.rate_limit(profile.download_kbps, profile.upload_kbps)}",
        f"=address-list={profile.wall_list}",
        f"=comment={PROFILE_MARK}",
    ]


def _line_words(line: LineWanted) -> list[str]:
    return [
        f"=name={line.username}",
        f"=password={line.password.reveal()}",
        f"=profile={line.profile}",
        f"=disabled={'no' if line.is_enabled else 'yes'}",
        f"=comment={line.mark}",
    ]


def _profile_seen(row: dict[str, str]) -> ProfileSeen:
    download, upload = words.rates(row.get("rate-limit", ""))
    profile = Profile(row["name"], download, upload, row.get("address-list", ""))
    return ProfileSeen(row.get(".id", ""), profile, row.get("comment", "") == PROFILE_MARK)


def _line_seen(row: dict[str, str]) -> LineSeen:
    comment = row.get("comment", "")
    password = row.get("password")
    return LineSeen(
        id=row.get(".id", ""),
        mark=comment if comment.startswith(MARK) and comment != PROFILE_MARK else "",
        username=row["name"],
        password=Secret(password) if password else None,
        profile=row.get("profile", ""),
        is_enabled=not words.is_true(row.get("disabled", "false")),
    )


def _session_seen(
    row: dict[str, str], download_bytes: int | None = None, upload_bytes: int | None = None
) -> SessionSeen:
    return SessionSeen(
        id=row.get(".id", ""),
        username=row.get("name", ""),
        key=row.get("session-id") or row.get(".id", ""),
        address=row.get("address", ""),
        mac=row.get("caller-id", ""),
        uptime_s=words.seconds(row.get("uptime", "")),
        download_bytes=download_bytes,
        upload_bytes=upload_bytes,
    )
