"""Sessions in PostgreSQL: a Redis that is gone must log nobody out."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS


class SessionStore(db.SessionStore):
    """Django's, which asks the database for whatever the cookie says; no key of ours has a strange character."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and len(key or "") >= 8 and set(key or "") <= set(VALID_KEY_CHARS)

    @classmethod
    def get_model_class(cls) -> type:
        """The same table."""
        return db.SessionStore.get_model_class()
