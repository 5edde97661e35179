"""The book's own guard: every entry's legs sum to zero, checked by the statement that writes them."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION ledger_legs_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_legs GROUP BY tenant_id, entry_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the legs of a ledger entry do not sum to zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_legs_balance AFTER INSERT ON billing_ledgerleg
    REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION ledger_legs_balance();
"""
BACKWARDS = "DROP TRIGGER ledger_legs_balance ON billing_ledgerleg; DROP FUNCTION ledger_legs_balance();"


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
