"""Errors by kind, so that the caller knows what may be done next.

``DomainError``  the user can mend it: shown with its text, answered with a 4xx.
``Retryable``    asked and got no answer (time-out, 5xx, router away): the outcome is unknown. Ask again, never repeat
                 what moves money.
``Refused``      the other side said no, finally.
A bug is none of these and is not caught.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A rule of the business said no. ``code`` is stable for programs, ``message`` is for people."""

    status = 400

    def __init__(self, code: str, message: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields: dict[str, list[str]] = {name: list(texts) for name, texts in (fields or {}).items()}


class NotFound(DomainError):
    """The row does not exist for this requester; another tenant's row is not told apart from none."""

    status = 404


class Conflict(DomainError):
    """The row is not in a state that allows this."""

    status = 409


class Unauthenticated(DomainError):
    """Nobody knows who asks, or no longer."""

    status = 401


class Forbidden(DomainError):
    """Who asks is known, and may not."""

    status = 403


class TooMany(DomainError):
    """Asked too often; the same may be asked again after ``retry_after_s`` seconds."""

    status = 429

    def __init__(self, code: str, message: str, *, retry_after_s: int) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Right as asked, and not possible at the moment: the same may be asked again later."""

    status = 503


class Retryable(Exception):
    """No usable answer came. ``sent`` is False when the request surely never left this machine."""

    def __init__(self, code: str, detail: str = "", *, sent: bool = True) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.sent = sent


class Refused(Exception):
    """The other side refused for certain. ``code`` is ours, ``provider_code`` theirs, ``detail`` for staff."""

    def __init__(self, code: str, detail: str = "", *, provider_code: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.provider_code = provider_code


class Unsupported(Refused):
    """The adapter cannot do this at all; the page should not have offered it."""
