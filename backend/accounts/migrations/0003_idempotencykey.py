"""The keys of mutations that move money move here from funding: jobs need them too."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backend.ids


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_profiles'),
        ('funding', '0001_initial'),
    ]

    operations = [
        # The table stays where it is.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='IdempotencyKey',
                    fields=[
                        ('id', models.UUIDField(default=backend.ids.new_id, editable=False, primary_key=True, serialize=False)),
                        ('operation', models.CharField(max_length=40)),
                        ('key', models.UUIDField()),
                        ('fingerprint', models.CharField(max_length=64)),
                        ('result_id', models.UUIDField()),
                        ('created_at', models.DateTimeField()),
                        ('caller', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'db_table': 'funding_idempotencykey',
                        'constraints': [models.UniqueConstraint(fields=('caller', 'operation', 'key'), name='idempotency_key_once')],
                    },
                ),
            ],
        ),
    ]
