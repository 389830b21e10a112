from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0004_log_and_deadlines'),
    ]

    operations = [
        migrations.DeleteModel(name='JobTransition'),
    ]
