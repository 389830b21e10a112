"""The release before `muted` inserts people without it while both run: the database says what is meant."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_user_muted")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="muted",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
