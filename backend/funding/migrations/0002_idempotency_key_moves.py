from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_idempotencykey'),
        ('funding', '0001_initial'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name='IdempotencyKey')],
        ),
    ]
