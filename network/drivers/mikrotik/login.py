"""Being let in: in one sentence since 6.43, by a challenge before; and what it means not to be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import Refused, Retryable
from network.drivers.mikrotik.answers import Reply

_CHALLENGE = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
#: No two versions say a wrong password in the same words. What speaks of too much or of later may pass by itself.
_STRANGER = re.compile(
    r"user ?name|password|log(ged)?[ -]?in|invalid user|credential|authenti|authori|denied|permi", re.IGNORECASE
)
_PASSING = re.compile(r"session|maximum|too many|limit|busy|later|again|time[d ]*out", re.IGNORECASE)


def sign_in(ask: Callable[[Sequence[str]], Reply], username: str, password: Secret) -> None:
    """Raises Refused ``router.login``, Retryable ``router.away``."""
    name = f"=name={username}"
    reply = ask(("/login", name, f"=password={password.reveal()}"))
    if not reply.trap and _CHALLENGE.fullmatch(reply.ret):
        reply = ask(("/login", name, f"=response={_hashed(password, reply.ret)}"))
    if reply.trap:
        raise not_let_in(reply.trap)


def not_let_in(words: str) -> Refused | Retryable:
    """The error for what a router says instead of letting us in."""
    if _STRANGER.search(words) and not _PASSING.search(words):
        return Refused("router.login", "the router refused the user name or password", provider_code=words[:80])
    return Retryable("router.away", f"the router lets nobody in now: {words}"[:120], sent=False)


def _hashed(password: Secret, challenge: str) -> str:
    data = b"\0" + password.reveal().encode() + bytes.fromhex(challenge)
    return "00" + hashlib.md5(data, usedforsecurity=False).hexdigest()
