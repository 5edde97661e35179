"""The installation's secrets: made once, kept in one file that only its user reads."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path


class SecretsMissing(RuntimeError):
    """Production never runs on secrets somebody did not choose."""


def secrets_of(folder: Path) -> dict[str, str]:
    """``SECRET_KEY`` and ``FIELD_KEYS``, from the environment or the file. Raises SecretsMissing in production."""
    names = ("SECRET_KEY", "FIELD_KEYS")
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if len(given) == len(names):
        return given
    if os.environ.get("PRODUCTION") == "1":
        missing = ", ".join(name for name in names if name not in given)
        raise SecretsMissing(f"PRODUCTION=1, and {missing} not in the environment: secrets are not made up there.")
    file = folder / "secrets.json"
    if not file.exists():
        made = {
            "SECRET_KEY": base64.urlsafe_b64encode(os.urandom(48)).decode(),
            "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        }
        draft = file.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            json.dump(made, output)
            output.flush()
            os.fsync(output.fileno())
        draft.rename(file)
    kept: dict[str, str] = json.loads(file.read_text())
    return {**kept, **given}
