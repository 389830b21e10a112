
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_muted_by_default'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='apikey',
            options={'verbose_name': 'API key'},
        ),
    ]
