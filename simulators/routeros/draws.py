"""Random options for each kind of fault, as keywords of ``fault_add``: what a test that mixes faults draws from.

Nothing drawn lasts for ever: a fault fires a few times, a hang ends by itself.
"""

from __future__ import annotations

from random import Random
from typing import Any

Drawn = dict[str, Any]

READS = ("/ppp/secret/print", "/ppp/active/print", "/ppp/profile/print")
WRITES = ("/ppp/secret/add", "/ppp/secret/set", "/ppp/secret/remove", "/ppp/active/remove", "/ppp/profile/add")
HAND = (
    ["/ppp/secret/set", "=numbers={any}", "=disabled=yes"],
    ["/ppp/secret/set", "=numbers={any}", "=profile=default"],
    ["/ppp/secret/set", "=numbers={any}", "=name=renamed-{any}"],
    ["/ppp/secret/set", "=numbers={any}", "=comment=mine"],
    ["/ppp/secret/remove", "=numbers={any}"],
    ["/ppp/active/remove", "=numbers={any}"],
)


def _repeat(random: Random) -> Drawn:
    return {"times": random.randint(1, 3), "skip": random.choice((0, 0, 0, 1, 2, 5))}


def _moment(random: Random) -> Drawn:
    """A command or the log-in, and a moment of it."""
    at = random.choice((*READS, *WRITES, "/login"))
    when = random.choice(("before", "applying", "applied") if at in WRITES else ("before", "answer"))
    drawn = {"at": at, "when": when, **_repeat(random)}
    if when == "applying":
        drawn["items"] = random.choice((None, 1, 1, 2, 5, 20))
    if when == "answer":
        drawn["rows"] = random.choice((None, 0, 1, 10, 100))
    return drawn


def _answer(random: Random) -> Drawn:
    return {"at": random.choice(READS + WRITES), "rows": random.choice((None, 0, 1, 10)), **_repeat(random)}


def cut(random: Random) -> Drawn:
    drawn = _moment(random)
    drawn["reset"] = random.random() < 0.5
    if drawn["when"] == "answer":
        drawn["mid_sentence"] = random.random() < 0.5
    return drawn


def cut_after(random: Random) -> Drawn:
    return {
        "sentences": int(10 ** random.uniform(0, 3)),
        "scope": random.choice(("connection", "router")),
        "mid_sentence": random.random() < 0.5,
        "reset": random.random() < 0.5,
        **_repeat(random),
    }


def trap(random: Random) -> Drawn:
    category, text = random.choice(
        ((0, "no such item"), (2, "interrupted"), (4, "failure: simulated"), (5, "simulated"), (4, "action timed out"))
    )
    return {**_moment(random), "category": category, "text": text, "lists_only": random.random() < 0.3}


def fatal(random: Random) -> Drawn:
    return _moment(random)


def login_refused(random: Random) -> Drawn:
    text = random.choice(("invalid user name or password (6)", "cannot log in", "std failure: not allowed (9)"))
    return {"text": text, **_repeat(random)}


def session_limit(random: Random) -> Drawn:
    return {
        "limit": random.randint(0, 2),
        "answer": random.choice(("trap", "fatal", "close")),
        **_repeat(random),
    }


def hang(random: Random) -> Drawn:
    drawn = {"at": "connect", **_repeat(random)} if random.random() < 0.2 else _moment(random)
    return {**drawn, "for_s": round(10 ** random.uniform(-2, 0.3), 3), "outlives": random.random() < 0.2}


def slow(random: Random) -> Drawn:
    return {**_answer(random), "bytes_per_s": int(10 ** random.uniform(2.5, 5))}


def garbage(random: Random) -> Drawn:
    what = random.choice(("bytes", "length", "unknown_tag", "unknown_reply", "duplicate", "no_tag"))
    return {**_answer(random), "what": what}


def reboot(random: Random) -> Drawn:
    return {
        **_moment(random),
        "times": 1,
        "away_s": round(random.uniform(0, 0.5), 3),
        "lose_writes": random.choice((0, 0, 1, 3)),
    }


def port_closed(random: Random) -> Drawn:
    return {**_moment(random), "for_s": round(random.uniform(0.05, 1), 3)}


def by_hand(random: Random) -> Drawn:
    return {**_moment(random), "sentence": list(random.choice(HAND))}
