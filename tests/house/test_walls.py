"""The walls between tenants, tried with raw SQL as the role ``app`` on every table there is."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection
from psycopg import sql

from ispbilling.kernel import tenancy
from tests.house import walls
from tests.house.conftest import Two, connect
from tests.house.rows import RowMaker, hints, is_one_per_tenant, tenant_models
from tests.house.walls import TENANTLESS, Cursor

#: Sequences that are not just a tenantless table's own numbering, with what their numbers tell.
SEQUENCES = {"kernel_event_seq": "the order of events over all tenants: a number says nothing but that others exist"}
FUNCTIONS = {
    "refuse_change()": "append-only tables",
    "ledger_legs_balance()": "every entry of the book is balanced",
    "customer_standing_write(uuid,uuid)": "what lists ask by stands beside the customer",
    "customer_standing_keep()": "the same",
    "customer_owing_keep()": "the same",
    "customer_router_write(uuid,uuid)": "the same",
    "customer_router_keep()": "the same",
}


def test_the_tests_connect_as_app_who_has_no_way_past_the_policies(app: Cursor) -> None:
    app.execute(
        "SELECT session_user, current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,"
        " pg_has_role('platform', 'USAGE'), pg_has_role('owner', 'MEMBER'), current_setting('row_security')"
        " FROM pg_roles WHERE rolname = current_user"
    )
    assert app.fetchone() == ("app", "app", False, False, False, False, False, False, "on")


def test_every_table_has_its_walls_or_a_reason(app: Cursor) -> None:
    assert walls.missing_walls(app) == {}
    assert set(TENANTLESS) - set(walls.tables(app)) == set()


def test_every_walled_table_is_a_models_so_that_rows_can_be_made(app: Cursor) -> None:
    assert set(walls.walled_tables(app)) == {model._meta.db_table for model in tenant_models()}


def test_what_is_declared_append_only_is_so_in_the_database(app: Cursor) -> None:
    declared = {model._meta.db_table for model in tenant_models() if getattr(model, "append_only", False)}
    assert walls.append_only_tables(app) == declared
    assert {"billing_ledgerentry", "billing_ledgerleg", "billing_allocation", "kernel_auditentry"} <= declared


def test_the_walls_of_every_table_bite(two: Two, app: Cursor) -> None:
    frozen = walls.append_only_tables(app)
    found = {
        table: walls.leaks(app, table, two.a.tenant_id, two.b.tenant_id, is_append_only=table in frozen)
        for table in walls.walled_tables(app)
    }
    assert {table: faults for table, faults in found.items() if faults} == {}


def test_the_owner_of_the_tables_is_bound_too(two: Two) -> None:
    seen = {}
    with connect("owner") as owner, owner.cursor() as cursor:
        walls.enter(cursor, two.a.tenant_id)
        for table in walls.walled_tables(cursor):
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            seen[table] = (cursor.fetchone() or [None])[0]
        owner.rollback()
    assert {table: count for table, count in seen.items() if count != 0} == {}


def test_append_only_rows_are_refused_to_platform_and_owner_as_well(two: Two, app: Cursor, above: Cursor) -> None:
    app.execute("SET LOCAL ROLE platform")
    above.execute("SET LOCAL row_security = off")  # the superuser: what the trigger alone refuses
    for table in sorted(walls.append_only_tables(app)):
        for statement in ("UPDATE {} SET id = id", "DELETE FROM {}"):
            written = sql.SQL(statement).format(sql.Identifier(table))
            assert "permission denied" in str(walls.refusal(app, written)), table
            assert "is append-only" in str(walls.refusal(above, written)), table


def test_no_role_of_the_product_has_a_right_too_many(app: Cursor) -> None:
    assert walls.too_many_rights(app) == []


def test_app_can_make_nothing_in_the_schema(app: Cursor) -> None:
    for statement in (
        "CREATE TABLE planted (id int)",
        "CREATE VIEW planted AS SELECT * FROM customers_customer",
        "CREATE FUNCTION planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER TABLE customers_customer DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_wall ON customers_customer",
        "SET LOCAL ROLE owner",
        "SET LOCAL SESSION AUTHORIZATION owner",
    ):
        error = walls.refusal(app, statement)
        assert isinstance(error, psycopg.errors.InsufficientPrivilege), statement


def test_switching_row_security_off_shows_an_error_and_no_row(two: Two, app: Cursor) -> None:
    app.execute("SET LOCAL row_security = off")
    for table in walls.walled_tables(app):
        error = walls.refusal(app, sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))
        assert isinstance(error, psycopg.errors.InsufficientPrivilege), table


def test_no_view_and_no_function_looks_past_the_walls(app: Cursor) -> None:
    assert walls.ways_around(app) == []


def test_sequences_and_functions_are_those_that_are_known(app: Cursor) -> None:
    app.execute(
        "SELECT c.relname, owner.relname FROM pg_class c"
        " LEFT JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('i', 'a') AND d.refclassid = 'pg_class'::regclass"
        " LEFT JOIN pg_class owner ON owner.oid = d.refobjid"
        " WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace"
    )
    assert {name for name, table in app.fetchall() if table not in TENANTLESS} == set(SEQUENCES)
    app.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    assert {row[0] for row in app.fetchall()} == set(FUNCTIONS)


def test_no_foreign_key_looks_past_the_walls(app: Cursor) -> None:
    assert walls.loose_keys(app) == []


# --- Walls taken down on purpose: what the checks above must notice -----------------------------------------------

#: What is done as the owner → words of the fault that must be found.
SABOTAGE = {
    "ALTER TABLE customers_customer DISABLE ROW LEVEL SECURITY": ("nobody reads", "row-level security is off"),
    "ALTER TABLE customers_customer NO FORCE ROW LEVEL SECURITY": ("", "row-level security is not forced"),
    "DROP POLICY tenant_wall ON customers_customer": ("a reads rows of [], 0", "policy tenant_wall is missing"),
    "ALTER POLICY tenant_wall ON customers_customer USING (true)": ("nobody locks", "policy tenant_wall is ("),
    "ALTER POLICY tenant_wall ON customers_customer WITH CHECK (true)": ("a may move a row", "policy tenant_wall is ("),
    "ALTER POLICY tenant_wall ON customers_customer TO PUBLIC": ("", "policy tenant_wall is ("),
    "ALTER POLICY platform_door ON customers_customer TO PUBLIC": ("nobody copies", "policy platform_door is ("),
    "CREATE POLICY extra ON customers_customer FOR SELECT USING (true)": ("nobody reads", "policy extra is a stranger"),
    "CREATE POLICY extra ON customers_customer FOR INSERT WITH CHECK (true)": ("a may insert", "extra is a stranger"),
    "CREATE POLICY extra ON customers_customer FOR DELETE TO app USING (true)": ("", "extra is a stranger"),
    "ALTER TABLE customers_customer OWNER TO app": ("", "it belongs to app"),
    "ALTER TABLE customers_customer ALTER tenant_id DROP NOT NULL": ("", "it has no tenant_id"),
    "GRANT TRUNCATE ON customers_customer TO app": ("a may truncate", ""),
}  # fmt: skip


@pytest.mark.parametrize("statement", SABOTAGE)
def test_a_wall_taken_down_is_noticed(statement: str, two: Two, above: Cursor) -> None:
    answer, definition = SABOTAGE[statement]
    above.execute(statement.encode())
    if definition:
        assert definition in " ".join(walls.missing_walls(above)["customers_customer"])
    if answer:
        above.execute("SET LOCAL ROLE app")
        faults = walls.leaks(above, "customers_customer", two.a.tenant_id, two.b.tenant_id, is_append_only=False)
        assert answer in "; ".join(faults)


@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE", "TRIGGER"])
def test_a_right_too_many_on_the_book_is_noticed(right: str, two: Two, above: Cursor) -> None:
    above.execute(f"GRANT {right} ON billing_ledgerleg TO app".encode())
    above.execute("DROP TRIGGER append_only ON billing_ledgerleg" if right == "DELETE" else "SELECT")
    assert (f"app: {right} on billing_ledgerleg" in walls.too_many_rights(above)) is (right != "DELETE")
    above.execute("SET LOCAL ROLE app")
    faults = walls.leaks(above, "billing_ledgerleg", two.a.tenant_id, two.b.tenant_id, is_append_only=True)
    words = {"UPDATE": "a may change a row", "DELETE": "a may delete a row", "TRUNCATE": "a may truncate"}
    assert words.get(right, "") in "; ".join(faults)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ("CREATE TABLE planted (id uuid, tenant_id uuid NOT NULL)", "planted"),
        ("CREATE TABLE planted_link (id bigint, customer_id uuid)", "planted_link"),
        ("CREATE UNLOGGED TABLE planted (id uuid)", "planted"),
        ("CREATE TABLE planted (tenant_id uuid NOT NULL) PARTITION BY LIST (tenant_id)", "planted"),
        ("CREATE TABLE planted_child () INHERITS (customers_customer)", "planted_child"),
        ("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.planted (tenant_id uuid)", "elsewhere.planted"),
        (
            "CREATE TABLE planted (tenant_id uuid NOT NULL, at date) PARTITION BY RANGE (at);"
            " CREATE TABLE planted_2026 PARTITION OF planted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "planted_2026",
        ),
    ],
)
def test_a_new_table_without_walls_is_noticed(made: str, found: str, above: Cursor) -> None:
    assert walls.missing_walls(above) == {}
    above.execute(made.encode())
    assert "policy tenant_wall is missing" in walls.missing_walls(above)[found]


def test_a_partition_is_asked_for_walls_of_its_own(above: Cursor) -> None:
    above.execute("SET LOCAL ROLE owner")
    above.execute("CREATE TABLE planted (tenant_id uuid NOT NULL, at date) PARTITION BY RANGE (at)")
    above.execute("CREATE TABLE planted_1 PARTITION OF planted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    wall = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
    for table in ("planted", "planted_1"):
        assert table in walls.missing_walls(above)
        for statement in (
            "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE {0} FORCE ROW LEVEL SECURITY",
            "CREATE POLICY tenant_wall ON {0} TO app USING ({1}) WITH CHECK ({1})",
            "CREATE POLICY platform_door ON {0} TO platform USING (true) WITH CHECK (true)",
        ):
            above.execute(statement.format(table, wall).encode())
    assert walls.missing_walls(above) == {}


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ("CREATE VIEW planted AS SELECT * FROM customers_customer", "view planted"),
        ("CREATE VIEW planted WITH (security_barrier) AS SELECT * FROM customers_customer", "view planted"),
        ("CREATE VIEW planted WITH (security_invoker = false) AS SELECT 1", "view planted"),
        ("CREATE MATERIALIZED VIEW planted AS SELECT * FROM customers_customer", "materialised view planted"),
        (
            "CREATE FUNCTION planted() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
            " AS 'SELECT count(*) FROM customers_customer'",
            "security definer function planted()",
        ),
    ],
)
def test_a_way_around_the_walls_is_noticed(made: str, found: str, above: Cursor) -> None:
    above.execute(made.encode())
    assert walls.ways_around(above) == [found]


def test_a_view_with_its_callers_rights_is_no_way_around(above: Cursor) -> None:
    above.execute("CREATE VIEW planted WITH (security_invoker = true) AS SELECT * FROM customers_customer")
    assert walls.ways_around(above) == []


def test_a_key_without_the_tenant_is_noticed(above: Cursor) -> None:
    key = "FOREIGN KEY (customer_id) REFERENCES customers_customer (id)"
    above.execute(f"ALTER TABLE customers_payer ADD CONSTRAINT planted {key}".encode())
    assert walls.loose_keys(above) == ["customers_payer.planted"]


# --- The product's own way through the walls ------------------------------------------------------------------


def test_managers_refuse_to_answer_without_a_tenant(db: None) -> None:
    for model in tenant_models():
        if hasattr(model, "tenant"):
            with pytest.raises(tenancy.TenantMissing):
                model._default_manager.count()


def test_managers_show_the_own_tenants_rows_alone(two: Two, db: None) -> None:
    with tenancy.tenant_context(two.a.tenant_id):
        for model in tenant_models():
            seen = set(model._default_manager.values_list("tenant_id" if hasattr(model, "tenant") else "id", flat=True))
            assert seen == {two.a.tenant_id}, model


def test_the_tenant_is_gone_after_its_block(two: Two, db: None) -> None:
    with tenancy.tenant_context(two.a.tenant_id):
        assert _customers() == 1
        with tenancy.tenant_context(two.b.tenant_id), pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SAVEPOINT here")
            cursor.execute("SELECT 1 / 0")
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT here")
        assert _customers() == 1
    assert _customers() == 0


def test_the_platform_is_left_after_its_block(two: Two, db: None) -> None:
    with tenancy.platform("test"):
        assert _customers() == 2
    assert _customers() == 0
    with pytest.raises(LookupError), tenancy.platform("test"):
        raise LookupError
    assert _customers() == 0


def test_the_platform_cannot_change_the_ledger_either(two: Two, db: None) -> None:
    with pytest.raises(DatabaseError), tenancy.platform("test"), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_ledgerleg SET amount = 1")


def _customers() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer")
        return int(cursor.fetchone()[0])


# --- Rows are made for whatever comes --------------------------------------------------------------------------


def test_every_hint_is_of_a_field_that_is_there() -> None:
    for label in hints():
        model, _, field = label.rpartition(".")
        apps.get_model(model)._meta.get_field(field)


def test_as_many_rows_as_wanted_are_made_of_every_model(two: Two, app: Cursor) -> None:
    maker: RowMaker = two.a.on(app)
    for model in tenant_models():
        if not is_one_per_tenant(model):
            maker.fresh(model)
            assert walls.owners(app, model._meta.db_table)[two.a.tenant_id] >= 2, model


def test_every_column_is_filled_unless_a_hint_says_why_not(two: Two) -> None:
    empty = {
        f"{model._meta.label}.{field.name}"
        for model in tenant_models()
        for field in model._meta.local_concrete_fields
        if field.related_model is not model and two.a.rows[model].get(field.column, "by the database") in (None, "")
    }
    assert empty == {label for label, hint in hints().items() if hint.value is None or hint.is_first_empty}
