from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_sums_that_operators_say"),
    ]

    operations = [
        migrations.AddField(
            model_name="heldgrant",
            name="all_or_nothing",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="heldgrantline",
            name="quoted_receive_value",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="least_receive_value",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="refused_receive_value",
            field=models.BigIntegerField(null=True),
        ),
    ]
