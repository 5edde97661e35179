"""A MikroTik's rows as the contract's objects, and these as its words."""

from __future__ import annotations

from collections.abc import Iterable

from ispbilling.kernel.crypto import Secret
from network.drivers.base import LineSeen, LineWanted, Profile, ProfileSeen, SessionSeen
from network.drivers.mikrotik import words

PROFILE_MARK = "isp:profile"
MARK = "isp:"


def profile_words(profile: Profile) -> list[str]:
    return [
        f"=rate-limit={words.rate_limit(profile.download_kbps, profile.upload_kbps)}",
        f"=address-list={profile.wall_list}",
        f"=comment={PROFILE_MARK}",
    ]


def line_words(line: LineWanted) -> list[str]:
    return [
        f"=name={line.username}",
        f"=password={line.password.reveal()}",
        f"=comment={line.mark}",
        *access_words(line.profile, line.is_enabled),
    ]


def access_words(profile: str, is_enabled: bool) -> tuple[str, str]:
    return f"=profile={profile}", f"=disabled={'no' if is_enabled else 'yes'}"


def profile_seen(row: dict[str, str]) -> ProfileSeen:
    download, upload = words.rates(row.get("rate-limit", ""))
    profile = Profile(row["name"], download, upload, row.get("address-list", ""))
    return ProfileSeen(row.get(".id", ""), profile, row.get("comment", "") == PROFILE_MARK)


def line_seen(row: dict[str, str]) -> LineSeen:
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


def session_seen(
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


def sessions_counted(active: Iterable[dict[str, str]], interfaces: Iterable[dict[str, str]]) -> list[SessionSeen]:
    """Sessions with the counters of their interfaces: ``<pppoe-NAME>``, for a second one of a user with a number."""
    counters = {row.get("name", ""): row for row in interfaces}
    seen: list[SessionSeen] = []
    nth: dict[str, int] = {}
    for row in active:
        name = row.get("name", "")
        number = nth.get(name, 0)
        nth[name] = number + 1
        counter = counters.get(f"<pppoe-{name}>" if number == 0 else f"<pppoe-{name}-{number}>", {})
        # The router receives what the subscriber sends: its rx is his upload.
        seen.append(session_seen(row, words.count(counter.get("tx-byte")), words.count(counter.get("rx-byte"))))
    return seen
