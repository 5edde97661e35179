"""Accounts with outside systems, whatever kind: taken into use, changed, switched. The apps name their table and kind.

A row has ``label``, ``config`` (secret), ``base_url``, ``is_enabled`` and the adapter's name in the column ``word``,
which also begins the codes of errors and the verbs of the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models, transaction

from ispbilling.kernel import audit
from ispbilling.kernel.adapter_forms import changed_names, merged
from ispbilling.kernel.errors import Conflict, DomainError, NotFound, Refused
from ispbilling.kernel.registry import Registry

M = TypeVar("M", bound=models.Model)
#: What an app adds to a row whose settings are new: columns and their values.
Settled = Callable[[Any, Mapping[str, str]], Mapping[str, Any]]


def nothing_more(_adapter: Any, _config: Mapping[str, str]) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Accounts(Generic[M]):
    """The writes to one table of accounts. ``kind`` is what a person calls what he has an account with."""

    model: type[M]
    registry: Registry[Any]
    word: str
    kind: str
    settled: Settled = nothing_more

    def add(self, name: str, label: str, config: Mapping[str, str], base_url: str, actor: str) -> M:
        """Raises DomainError ``<word>.unknown``, ``<word>.config``, Conflict ``<word>.exists``."""
        if name not in self.registry:
            known = ", ".join(self.registry.names())
            raise DomainError(f"{self.word}.unknown", f"There is no {self.kind} “{name}” ({known}).")
        with transaction.atomic():
            clean = self._clean(name, config)
            self._must_be_free(name, label, None)
            more = self.settled(self.registry.get(name), clean)
            values = {self.word: name, "label": label, "config": clean, "base_url": base_url.rstrip("/"), **more}
            made: M = self.model._default_manager.create(**values)
            audit.record(actor=actor, verb=f"{self.word}.add", row=made, new={self.word: name, "label": label})
        return made

    def edit(self, account_id: UUID, label: str, config: Mapping[str, str], actor: str) -> M:
        """Settings that are not in ``config`` stay. The audit names what changed and shows no value.

        Raises NotFound ``<word>.account``, DomainError ``<word>.config``, Conflict ``<word>.exists``.
        """
        with transaction.atomic():
            row: Any = self.locked(account_id)
            name, old = getattr(row, self.word), dict(row.config)
            clean = self._clean(name, merged(old, config))
            self._must_be_free(name, label, account_id)
            changed = changed_names(old, clean)
            new = {"label": label, "changed": changed}
            audit.record(actor=actor, verb=f"{self.word}.edit", row=row, old={"label": row.label}, new=new)
            values = {"label": label, "config": clean}
            if changed:
                values |= self.settled(self.registry.get(name), clean)
            for column, value in values.items():
                setattr(row, column, value)
            row.save(update_fields=list(values))
        found: M = row
        return found

    def switch(self, account_id: UUID, is_enabled: bool, actor: str) -> M:
        """Raises NotFound ``<word>.account``."""
        with transaction.atomic():
            row: Any = self.locked(account_id)
            old, row.is_enabled = row.is_enabled, is_enabled
            row.save(update_fields=["is_enabled"])
            verb = f"{self.word}.on" if is_enabled else f"{self.word}.off"
            audit.record(actor=actor, verb=verb, row=row, old={"is_enabled": old}, new={"is_enabled": is_enabled})
        found: M = row
        return found

    def locked(self, account_id: UUID) -> M:
        found: M | None = self.model._default_manager.select_for_update(no_key=True).filter(pk=account_id).first()
        if found is None:
            raise NotFound(f"{self.word}.account", "There is no such account.")
        return found

    def _clean(self, name: str, config: Mapping[str, str]) -> dict[str, str]:
        try:
            clean: dict[str, str] = self.registry.get(name).clean_config(config)
        except Refused as error:
            raise DomainError(f"{self.word}.config", f"The settings are not complete. {error.detail}") from error
        return clean

    def _must_be_free(self, name: str, label: str, but: UUID | None) -> None:
        others = self.model._default_manager.filter(**{self.word: name, "label": label}).exclude(pk=but)
        if others.exists():
            raise Conflict(f"{self.word}.exists", f"There is an account “{label}” already.")
