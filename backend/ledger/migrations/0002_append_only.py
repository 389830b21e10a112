"""The database itself keeps the books: nothing is changed, nothing is late, everything balances.

These triggers are SQL, not django-pgtrigger's: whoever may set a session variable can switch those
off. These are switched off only by the tables' owner or a superuser, and `verify_chain` finds what
was done meanwhile.

SQLite drops a table's triggers when Django rebuilds the table for a later migration. Such a
migration has to call `refuse_changes` again; tests/ledger/test_append_only.py fails otherwise.
"""

from django.db import migrations

POSTGRESQL = [
    # --- no change, no deletion, no TRUNCATE
    """
    CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the books are only added to: % of % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    "CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_transfer FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_keep BEFORE DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_transfer FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
    # --- an entry joins only a transfer of its own transaction. The number is that of the whole
    # transaction; xmin would be that of a savepoint.
    "ALTER TABLE ledger_transfer ADD COLUMN xid xid8",
    """
    CREATE FUNCTION ledger_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.xid := pg_current_xact_id();
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER ledger_stamp BEFORE INSERT ON ledger_transfer FOR EACH ROW EXECUTE FUNCTION ledger_stamp()",
    """
    CREATE FUNCTION ledger_enter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT xid FROM ledger_transfer WHERE id = NEW.transfer_id)
            IS DISTINCT FROM pg_current_xact_id()
        THEN
            RAISE EXCEPTION 'transfer % is closed', NEW.transfer_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        UPDATE ledger_account SET balance = balance + NEW.amount WHERE id = NEW.account_id;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER ledger_enter AFTER INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_enter()",
    # --- an account is what it is, and its balance moves only from within ledger_enter
    """
    CREATE FUNCTION ledger_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.balance <> 0 THEN
                RAISE EXCEPTION 'an account begins at zero' USING ERRCODE = 'check_violation';
            END IF;
        ELSIF pg_trigger_depth() < 2
            OR (NEW.id, NEW.kind, NEW.asset_code, NEW.asset_scale, NEW.owner, NEW.subject)
            IS DISTINCT FROM
            (OLD.id, OLD.kind, OLD.asset_code, OLD.asset_scale, OLD.owner, OLD.subject)
        THEN
            RAISE EXCEPTION 'accounts change only by their entries'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER ledger_account_guard BEFORE INSERT OR UPDATE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_account_guard()",
    # --- at the commit every new transfer has entries, and comes to zero in every asset
    """
    CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        this uuid := to_jsonb(NEW) ->> TG_ARGV[0];
    BEGIN
        IF NOT EXISTS (SELECT FROM ledger_entry WHERE transfer_id = this) THEN
            RAISE EXCEPTION 'transfer % has no entries', this USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (
            SELECT FROM ledger_entry,
            -- OFFSET 0: one look-up for each entry. A join that was planned while the tables were
            -- small would read all accounts, for as long as the connection keeps its plan.
            LATERAL (
                SELECT asset_code, asset_scale FROM ledger_account WHERE id = account_id OFFSET 0
            ) account
            WHERE transfer_id = this
            GROUP BY asset_code, asset_scale HAVING SUM(amount) <> 0
        ) THEN
            RAISE EXCEPTION 'transfer % does not come to zero', this
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON ledger_transfer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balanced('id')",
    "CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balanced('transfer_id')",
]
POSTGRESQL_BACK = [
    "DROP FUNCTION ledger_refuse, ledger_stamp, ledger_enter, ledger_account_guard, ledger_balanced CASCADE",
    "ALTER TABLE ledger_transfer DROP COLUMN xid",
]
REFUSED_BY_SQLITE = {
    "ledger_transfer_update": "UPDATE ON ledger_transfer",
    "ledger_transfer_delete": "DELETE ON ledger_transfer",
    "ledger_entry_update": "UPDATE ON ledger_entry",
    "ledger_entry_delete": "DELETE ON ledger_entry",
    "ledger_account_update": "UPDATE OF id, kind, asset_code, asset_scale, owner, subject ON ledger_account",
    "ledger_account_delete": "DELETE ON ledger_account",
}


def refuse_changes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        statements = POSTGRESQL
    else:
        statements = [
            f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'the books are only added to'); END"
            for name, what in REFUSED_BY_SQLITE.items()
        ]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def allow_changes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        statements = POSTGRESQL_BACK
    else:
        statements = [f"DROP TRIGGER {name}" for name in REFUSED_BY_SQLITE]
    for statement in statements:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(refuse_changes, allow_changes),
    ]
