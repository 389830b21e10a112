import uuid

import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

import backend.ids


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('payments', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Head',
            fields=[
                ('id', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('PAYER', "paid out of a person's own wallet (below zero)"), ('PAYEE', "arrived in a person's own wallet"), ('SELLER', "arrived in a registered seller's wallet"), ('ESCROW', 'held by the platform for one funding; never below zero'), ('FEES', 'earned by the platform, less what it bore'), ('WALLET_COST', 'kept by wallets on the way'), ('FX', 'exchanged by wallets: taken in one asset, given in another'), ('PROMISES_GIVEN', 'promised to workers and not paid yet (below zero)'), ('PROMISES_RECEIVED', 'promised to a worker and not paid yet')], max_length=20)),
                ('asset_code', models.CharField(max_length=32)),
                ('asset_scale', models.PositiveSmallIntegerField()),
                ('owner', models.UUIDField(null=True)),
                ('subject', models.UUIDField(null=True)),
                ('balance', models.BigIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('owner', None), _negated=True), fields=['owner'], name='account_owner')],
                'constraints': [models.UniqueConstraint(models.F('kind'), models.F('asset_code'), models.F('asset_scale'), django.db.models.functions.comparison.Coalesce('owner', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), django.db.models.functions.comparison.Coalesce('subject', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), output_field=models.UUIDField())), name='account_once'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'PAYER'), ('owner__isnull', False), ('subject__isnull', True)), models.Q(('kind', 'PAYEE'), ('owner__isnull', False), ('subject__isnull', True)), models.Q(('kind', 'SELLER'), ('owner__isnull', True), ('subject__isnull', False)), models.Q(('kind', 'ESCROW'), ('owner__isnull', False), ('subject__isnull', False)), models.Q(('kind', 'FEES'), ('owner__isnull', True), ('subject__isnull', True)), models.Q(('kind', 'WALLET_COST'), ('owner__isnull', True), ('subject__isnull', True)), models.Q(('kind', 'FX'), ('owner__isnull', True), ('subject__isnull', False)), models.Q(('kind', 'PROMISES_GIVEN'), ('owner__isnull', False), ('subject__isnull', True)), models.Q(('kind', 'PROMISES_RECEIVED'), ('owner__isnull', False), ('subject__isnull', True)), _connector='OR'), name='account_keys_fit_kind'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'ESCROW'), _negated=True), ('balance__gte', 0), _connector='OR'), name='account_escrow_not_overdrawn')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.UUIDField(default=backend.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(unique=True)),
                ('reason', models.CharField(max_length=80)),
                ('subject', models.UUIDField(null=True)),
                ('at', models.DateTimeField(db_index=True)),
                ('hash', models.CharField(max_length=64)),
                ('payment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='payments.payment')),
            ],
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.UUIDField(default=backend.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('amount', models.BigIntegerField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='ledger.account')),
                ('transfer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='ledger.transfer')),
            ],
            options={
                'verbose_name_plural': 'entries',
            },
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.UniqueConstraint(condition=models.Q(('payment', None), _negated=True), fields=('payment', 'reason'), name='transfer_once_per_payment'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.UniqueConstraint(condition=models.Q(('subject', None), _negated=True), fields=('subject', 'reason'), name='transfer_once_per_subject'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('payment', None), ('subject', None), _connector='OR'), name='transfer_for_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('transfer', 'account'), name='entry_once_per_account'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='entry_not_zero'),
        ),
    ]
