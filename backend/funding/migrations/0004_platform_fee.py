"""What the platform takes: rows that are there take nothing."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_wallet_addresses'),
        ('funding', '0003_what_is_owed'),
        ('jobs', '0008_final_ends_and_places'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='funding',
            name='fee_bps',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='funding',
            name='fee_paid_value',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='funding',
            name='fee_value',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='funding',
            name='fee_wallet',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.walletaddress'),
        ),
        migrations.AddField(
            model_name='seller',
            name='is_fee_wallet',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='payable',
            name='status',
            field=models.CharField(choices=[('OWED', 'Owed'), ('PAYING', 'Paying'), ('PAID', 'Paid'), ('STUCK', 'Stuck'), ('WAIVED', 'Waived')], default='OWED', max_length=16),
        ),
        migrations.AddConstraint(
            model_name='funding',
            constraint=models.CheckConstraint(condition=models.Q(('fee_value__gte', 0), ('total_value__gt', models.F('fee_value')), ('fee_paid_value__gte', 0), ('fee_value__gte', models.F('fee_paid_value')), ('released_value__gte', models.F('fee_paid_value'))), name='funding_fee_within_total'),
        ),
        migrations.AddConstraint(
            model_name='funding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fee_bps', 0), ('fee_value', 0)), models.Q(('fee_bps__gt', 0), ('fee_wallet__isnull', False)), _connector='OR'), name='funding_fee_has_a_wallet'),
        ),
    ]
