from django.db import migrations, models
from django.db.models import F


def _about_their_payment(apps, schema_editor):
    rows = apps.get_model("payments", "Discrepancy").objects
    rows.update(subject=F("payment_id"), last_seen_at=F("first_seen_at"))


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_held_grants")]

    operations = [
        migrations.RemoveConstraint("discrepancy", "discrepancy_once"),
        migrations.AddField("discrepancy", "subject", models.UUIDField(null=True)),
        migrations.AddField("discrepancy", "last_seen_at", models.DateTimeField(null=True)),
        migrations.RunPython(_about_their_payment, migrations.RunPython.noop),
    ]
