"""Reads migrations: does every table they make, and every reference they add, get its walls afterwards?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import AddField, AlterField
from django.db.migrations.operations.models import CreateModel

from ispbilling.kernel.migration import ProtectTable
from ispbilling.kernel.models import TenantForeignKey


def operations_of(app_label: str, loader: MigrationLoader | None = None) -> list[Operation]:
    """All operations of an app in the order they run."""
    graph = (loader or MigrationLoader(None)).graph
    found: dict[Any, None] = {}
    for leaf in graph.leaf_nodes(app_label):
        found.update(dict.fromkeys(key for key in graph.forwards_plan(leaf) if key[0] == app_label))
    return [operation for key in found for operation in graph.nodes[key].operations]


def unprotected(app_label: str, operations: Iterable[Operation]) -> list[str]:
    """What is made and never protected after it, or protected otherwise than its model says."""
    open_until: dict[str, str] = {}
    faults = []
    for operation in operations:
        if isinstance(operation, CreateModel) and _is_walled(app_label, operation):
            open_until[operation.name.lower()] = f"{app_label}.{operation.name} is made"
        elif isinstance(operation, AddField | AlterField) and isinstance(operation.field, TenantForeignKey):
            name = operation.model_name.lower()
            open_until.setdefault(name, f"{app_label}.{operation.model_name}.{operation.name} is added")
        elif isinstance(operation, ProtectTable):
            open_until.pop(operation.name.lower(), None)
            faults += _differences(app_label, operation)
    return [f"{what} and not protected afterwards" for what in open_until.values()] + faults


def _is_walled(app_label: str, operation: CreateModel) -> bool:
    if (app_label, operation.name) == ("accounts", "Tenant"):
        return True
    return any(
        name == "tenant" and str(getattr(field.remote_field, "model", "")).lower() == "accounts.tenant"
        for name, field in operation.fields
    )


def _differences(app_label: str, operation: ProtectTable) -> list[str]:
    try:
        model = apps.get_model(app_label, operation.name)
    except LookupError:
        return []  # a model that is no more
    wanted = (bool(getattr(model, "append_only", False)), getattr(model, "wall_column", "tenant_id"))
    held = (operation.append_only, operation.column)
    return [] if held == wanted else [f"{app_label}.{operation.name} is protected as {held} instead of {wanted}"]
