"""The difference between what lines should be and what a router says they are. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from billing.entitlement import Level
from network.drivers.base import LineChange, LineRewrite, LineSeen, LineWanted, Plan, Profile, RouterState
from network.wall import WALL_LIST

WALLED_PROFILE = Profile(name="isp-walled", download_kbps=512, upload_kbps=256, wall_list=WALL_LIST)


def profile_of(level: str, download_kbps: int, upload_kbps: int) -> Profile:
    """The profile a line of this level belongs on. Blocked lines keep their speed's profile and are disabled."""
    if level == Level.WALLED:
        return WALLED_PROFILE
    return Profile(name=f"isp-{download_kbps}k-{upload_kbps}k", download_kbps=download_kbps, upload_kbps=upload_kbps)


@dataclass(frozen=True, slots=True)
class Difference:
    """``plan`` makes the router right; ``foreign`` names wanted lines whose name a row of somebody else has."""

    plan: Plan
    foreign: frozenset[str]


def difference(
    *, profiles: Iterable[Profile], lines: Iterable[LineWanted], unconfirmed: Collection[str], state: RouterState
) -> Difference:
    """What must be written. Rows without our mark are never touched.

    ``unconfirmed`` names lines whose last wish was never seen to hold. A session of such a line may be older than the
    wish even when its row is right already (a run that died after writing): it is ended, so that the new one obeys.
    """
    seen_by_mark = {line.mark: line for line in state.lines.values() if line.mark}
    add: list[LineWanted] = []
    rewrite: list[LineRewrite] = []
    change: dict[tuple[str, bool], list[str]] = defaultdict(list)
    disconnect: set[str] = set()
    foreign: set[str] = set()
    online = {session.username for session in state.sessions}
    lines = list(lines)
    # Rows of ours whose name will be free: they get another in the same run, before anything is added.
    leaving = {
        one.mark for one in lines if one.mark in seen_by_mark and seen_by_mark[one.mark].username != one.username
    }
    for wanted in lines:
        seen = seen_by_mark.get(wanted.mark)
        holder = state.lines.get(wanted.username)
        if holder is not None and holder.mark != wanted.mark and holder.mark not in leaving:
            foreign.add(wanted.username)
            continue
        if seen is None:
            # Who is online without a row of ours dialled in by one that is gone: by what it allowed, nobody knows.
            add.append(wanted)
            disconnect |= {wanted.username} & online
            continue
        if _is_renamed(seen, wanted):
            rewrite.append(LineRewrite(seen.id, wanted))
            disconnect |= {seen.username, wanted.username}
            continue
        if (seen.profile, seen.is_enabled) != (wanted.profile, wanted.is_enabled):
            change[wanted.profile, wanted.is_enabled].append(seen.id)
            # Online or not: whoever dials in between this reading and the writing has a session of the old kind.
            disconnect.add(wanted.username)
        elif wanted.username in unconfirmed or not wanted.is_enabled:
            disconnect |= {wanted.username} & online
    needed = {profile.name: profile for profile in profiles}
    missing = tuple(profile for name, profile in sorted(needed.items()) if name not in state.profiles)
    wrong = tuple(
        (state.profiles[name].id, profile)
        for name, profile in sorted(needed.items())
        if name in state.profiles and state.profiles[name].is_ours and state.profiles[name].profile != profile
    )
    changes = tuple(LineChange(tuple(ids), profile, on) for (profile, on), ids in sorted(change.items()))
    plan = Plan(
        profiles_add=missing,
        profiles_set=wrong,
        lines_add=tuple(add),
        lines_rewrite=tuple(rewrite),
        lines_change=changes,
        disconnect=tuple(sorted(disconnect)),
    )
    return Difference(plan, frozenset(foreign))


def _is_renamed(seen: LineSeen, wanted: LineWanted) -> bool:
    if seen.username != wanted.username:
        return True
    return seen.password is not None and seen.password != wanted.password


def profile_trouble(wanted: Profile, state: RouterState) -> str:
    """What is wrong with a profile on a freshly read router, in words for staff; empty when nothing is.

    A line on it is not as wanted then, whatever its own row says: at another speed, or walled without a wall.
    """
    seen = state.profiles.get(wanted.name)
    if seen is None:
        return f"The router has no profile “{wanted.name}”."
    if seen.profile == wanted:
        return ""
    if not seen.is_ours:
        return f"The router has a profile “{wanted.name}” that is not ours, with other values."
    return f"The router does not keep the profile “{wanted.name}” as it was written."


def right_now(wanted: LineWanted, state: RouterState) -> bool:
    """Whether a freshly read router has a line as wanted, and no session where none may be."""
    seen = state.lines.get(wanted.username)
    if seen is None or seen.mark != wanted.mark or _is_renamed(seen, wanted):
        return False
    if (seen.profile, seen.is_enabled) != (wanted.profile, wanted.is_enabled):
        return False
    return wanted.is_enabled or all(session.username != wanted.username for session in state.sessions)
