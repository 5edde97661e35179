"""What a run of the suite leaves on a router: how it is known, and how it is removed."""

from __future__ import annotations

import secrets

from tests.network.plain import Hand

TESTS, TENANT = "isp-test-", "isp:00000000-0000-4000-8000-"  # begin what any run of this suite makes
RUN = f"{TESTS}{secrets.token_hex(3)}"  # begins the names this run gives
MARK = f"{TENANT}{secrets.token_hex(6)}:"


def sweep(hand: Hand) -> None:
    """Remove what this run has made, and nothing else."""
    for path in ("/ppp/secret", "/ppp/active", "/ppp/profile"):
        rows = [row for row in hand.rows(path) if ".id" in row]
        made = [one for one in rows if one.get("name", "").startswith(RUN) or one.get("comment", "").startswith(MARK)]
        hand.change_all(path, [one[".id"] for one in made], "remove")


def everything(hand: Hand) -> list[tuple[str, ...]]:
    """The rows of others, without what changes by itself."""
    columns = ("name", "profile", "disabled", "comment", "password", "rate-limit", "address-list")
    return [
        (path, *(row.get(column, "") for column in columns))
        for path in ("/ppp/secret", "/ppp/profile")
        for row in hand.rows(path)
        if not is_a_tests(row)
    ]


def is_a_tests(row: dict[str, str]) -> bool:
    """Whether a run of this suite made a row: two may be at one router."""
    return row.get("name", "").startswith(TESTS) or row.get("comment", "").startswith(TENANT)
