"""``DATABASES["default"]["ENGINE"] = "ispbilling.kernel.postgres"``."""

from __future__ import annotations

from datetime import timedelta

from django.db.backends.postgresql import base

from ispbilling.kernel import tenancy


class DatabaseWrapper(base.DatabaseWrapper):
    """Sets ``app.tenant_id`` at the start of every transaction, local to it, so that no pool can leak it."""

    #: The product clock's offset as read in the open transaction; None = not read yet. See ``kernel.clock``.
    clock_offset: timedelta | None = None

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        self.clock_offset = None
        if not autocommit and tenancy.tenant_id() is not None:
            self.connection.execute(f"SELECT set_config('{tenancy.SETTING}', %s, true)", [tenancy.setting_value()])
