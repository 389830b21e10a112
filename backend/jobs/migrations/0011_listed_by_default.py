"""The release before `listed` inserts jobs without it while both run: the database says what is meant."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0010_partial_indexes")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="listed",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
