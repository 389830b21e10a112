"""Accounts of the platform's fee.

SQLite rebuilds the table of accounts for the changed constraint, and drops its triggers with the old
one: they are made again.
"""

from django.db import migrations, models

REFUSED_BY_SQLITE = {
    "ledger_account_update": "UPDATE OF id, kind, asset_code, asset_scale, owner, subject ON ledger_account",
    "ledger_account_delete": "DELETE ON ledger_account",
}


def refuse_changes_again(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    for name, what in REFUSED_BY_SQLITE.items():
        schema_editor.execute(
            f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'the books are only added to'); END",
            params=None,
        )


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0002_append_only'),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, refuse_changes_again),
        migrations.RemoveConstraint(
            model_name='account',
            name='account_keys_fit_kind',
        ),
        migrations.AlterField(
            model_name='account',
            name='kind',
            field=models.CharField(choices=[('PAYER', "paid out of a person's own wallet (below zero)"), ('PAYEE', "arrived in a person's own wallet"), ('SELLER', "arrived in a registered seller's wallet"), ('ESCROW', 'held by the platform for one funding; never below zero'), ('FEES', 'left to the platform by rounding, less what it bore'), ('PLATFORM_FEE', "arrived as the platform's fee in one of its wallets"), ('WALLET_COST', 'kept by wallets on the way'), ('FX', 'exchanged by wallets: taken in one asset, given in another'), ('PROMISES_GIVEN', 'promised to workers and not paid yet (below zero)'), ('PROMISES_RECEIVED', 'promised to a worker and not paid yet')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'PAYER'), ('owner__isnull', False), ('subject__isnull', True)), models.Q(('kind', 'PAYEE'), ('owner__isnull', False), ('subject__isnull', True)), models.Q(('kind', 'SELLER'), ('owner__isnull', True), ('subject__isnull', False)), models.Q(('kind', 'ESCROW'), ('owner__isnull', False), ('subject__isnull', False)), models.Q(('kind', 'FEES'), ('owner__isnull', True), ('subject__isnull', True)), models.Q(('kind', 'PLATFORM_FEE'), ('owner__isnull', True), ('subject__isnull', False)), models.Q(('kind', 'WALLET_COST'), ('owner__isnull', True), ('subject__isnull', True)), models.Q(('kind', 'FX'), ('owner__isnull', True), ('subject__isnull', False)), models.Q(('kind', 'PROMISES_GIVEN'), ('owner__isnull', False), ('subject__isnull', True)), models.Q(('kind', 'PROMISES_RECEIVED'), ('owner__isnull', False), ('subject__isnull', True)), _connector='OR'), name='account_keys_fit_kind'),
        ),
        migrations.RunPython(refuse_changes_again, migrations.RunPython.noop),
    ]
