"""How many drafts somebody has, among the many jobs of a marketplace that has one owner.

On PostgreSQL it is built beside running writers, as those of 0007.
"""

from importlib import import_module

from django.db import migrations, models

_BESIDE_WRITERS = import_module(
    'backend.jobs.migrations.0007_indexes_of_recruiting'
).AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('jobs', '0011_listed_by_default'),
    ]

    operations = [
        _BESIDE_WRITERS(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'DRAFT')), fields=['owner'], name='job_drafts'),
        ),
    ]
