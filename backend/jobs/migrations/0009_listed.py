from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0008_final_ends_and_places")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="listed",
            field=models.BooleanField(default=True),
        ),
    ]
