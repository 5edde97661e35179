"""The one migration operation that puts a tenant table behind its walls, and the autodetector that never forgets it."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.autodetector import MigrationAutodetector, OperationDependency
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import AddField, AlterField
from django.db.migrations.operations.models import CreateModel
from django.db.migrations.state import ProjectState

from ispbilling.kernel.models import TenantForeignKey, TenantModel

_TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"

_REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$
"""


class ProtectTable(Operation):
    """Policies, forced row-level security, the unique ``(tenant_id, id)`` and a composite key for each reference.

    Safe to run again on the same table after references were added. ``column`` is what the policy compares: ``id``
    for the table of tenants itself. ``append_only`` also takes away update and delete, from the owner too.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, name: str, *, append_only: bool = False, column: str = "tenant_id") -> None:
        self.name = name
        self.append_only = append_only
        self.column = column

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs: dict[str, Any] = {"name": self.name}
        if self.append_only:
            kwargs["append_only"] = True
        if self.column != "tenant_id":
            kwargs["column"] = self.column
        return self.__class__.__qualname__, [], kwargs

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The walls are not part of Django's picture of a model."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        for statement in self.statements(model):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing: walls are not taken down; the table's own removal takes them along."""

    def describe(self) -> str:
        return f"Put the walls around {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"protect_{self.name.lower()}"

    def statements(self, model: Any) -> list[str]:
        """The SQL, in order."""
        table = model._meta.db_table
        check = f"{self.column} = {_TENANT}"
        sql = [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'DROP POLICY IF EXISTS tenant_wall ON "{table}"',
            f'CREATE POLICY tenant_wall ON "{table}" TO app USING ({check}) WITH CHECK ({check})',
            f'DROP POLICY IF EXISTS platform_door ON "{table}"',
            f'CREATE POLICY platform_door ON "{table}" TO platform USING (true) WITH CHECK (true)',
        ]
        if self.column == "tenant_id":
            sql.append(_pair_index(table))
            for field in model._meta.local_fields:
                if isinstance(field, TenantForeignKey):
                    sql += _composite_key(table, field)
        if self.append_only:
            sql += [
                f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM app, platform',
                _REFUSE_FUNCTION,
                f'DROP TRIGGER IF EXISTS append_only ON "{table}"',
                f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}"'
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            ]
        return sql


def _pair_index(table: str) -> str:
    return f'CREATE UNIQUE INDEX IF NOT EXISTS "{table}_tenant_pair" ON "{table}" (tenant_id, id)'


def _composite_key(table: str, field: Any) -> list[str]:
    target = field.remote_field.model._meta.db_table
    name = f"{table}_{field.column}_same_tenant"[:63]
    return [
        _pair_index(target),
        f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{name}"',
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (tenant_id, "{field.column}")'
        f' REFERENCES "{target}" (tenant_id, id) DEFERRABLE INITIALLY IMMEDIATE',
    ]


def _create_with_tenant(operations: list[Any]) -> None:
    """Make each new table together with its tenant, in place.

    Django plans keys as columns added afterwards, and a column that is added wants its default: the current tenant,
    which a migration does not have.
    """
    created = {operation.name_lower: operation for operation in operations if isinstance(operation, CreateModel)}
    for operation in [one for one in operations if isinstance(one, AddField) and one.name == "tenant"]:
        table = created.get(operation.model_name_lower)
        if table is not None:
            table.fields.append((operation.name, operation.field))
            needed: list[OperationDependency] = operation._auto_deps  # type: ignore[attr-defined]
            table._auto_deps += [  # type: ignore[attr-defined]
                one for one in needed if one.model_name.lower() != table.name_lower
            ]
            operations.remove(operation)


class TenantAutodetector(MigrationAutodetector):
    """Adds ``ProtectTable`` after every operation that makes a tenant table or gives it a reference."""

    def _sort_migrations(self) -> None:
        for app_label, operations in self.generated_operations.items():  # type: ignore[attr-defined]
            _create_with_tenant(operations)
            touched: dict[str, list[OperationDependency]] = {}
            for operation in operations:
                if isinstance(operation, CreateModel):
                    name, field = operation.name, None
                elif isinstance(operation, AddField | AlterField) and operation.field.is_relation:
                    name, field = operation.model_name, operation.name
                else:
                    continue
                model = apps.get_model(app_label, name)
                if issubclass(model, TenantModel) or hasattr(model, "wall_column"):
                    touched.setdefault(model.__name__, []).append(
                        OperationDependency(app_label, name.lower(), field, OperationDependency.Type.CREATE)
                    )
            for name, dependencies in touched.items():
                model = apps.get_model(app_label, name)
                protect = ProtectTable(
                    name=name,
                    append_only=getattr(model, "append_only", False),
                    column=getattr(model, "wall_column", "tenant_id"),
                )
                protect._auto_deps = dependencies  # type: ignore[attr-defined]
                operations.append(protect)
        super()._sort_migrations()  # type: ignore[misc]
