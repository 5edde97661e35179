"""How a row of ours on a router differs from what was seen and written before. Pure."""

from __future__ import annotations

from network.drivers.base import LineWanted, RouterState


def drift_of(wanted: LineWanted, state: RouterState) -> str:
    """What a hand changed about a line that had been right, in words for staff; empty when nothing is.

    Passwords are compared where the router tells them, and never told.
    """
    by_mark = next((line for line in state.lines.values() if line.mark == wanted.mark), None)
    holder = state.lines.get(wanted.username)
    if by_mark is None:
        return "the row is gone" if holder is None else "the row lost our mark or belongs to somebody else"
    if by_mark.username != wanted.username:
        return f"renamed to “{by_mark.username}”"[:200]
    if by_mark.is_enabled != wanted.is_enabled:
        return "enabled by hand" if by_mark.is_enabled else "disabled by hand"
    if by_mark.profile != wanted.profile:
        return f"put on the profile “{by_mark.profile}” instead of “{wanted.profile}”"[:200]
    if by_mark.password is not None and by_mark.password != wanted.password:
        return "another password"
    return ""
