import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # Apart from 0003: PostgreSQL changes no table whose rows were changed in the same transaction.
    dependencies = [("payments", "0003_discrepancies_of_anything")]

    operations = [
        migrations.AlterField("discrepancy", "subject", models.UUIDField()),
        migrations.AlterField("discrepancy", "last_seen_at", models.DateTimeField()),
        migrations.AlterField(
            "discrepancy",
            "payment",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="payments.payment",
            ),
        ),
        migrations.AddConstraint(
            "discrepancy",
            models.UniqueConstraint(fields=("subject", "kind"), name="discrepancy_once"),
        ),
        migrations.AddIndex(
            "discrepancy",
            models.Index(
                condition=models.Q(("resolved_at", None)),
                fields=["kind"],
                name="discrepancy_open",
            ),
        ),
    ]
