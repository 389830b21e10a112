"""Languages and rewards among the jobs that recruit: the few per cent that people look through.

On PostgreSQL the indexes are built beside running writers. A build that fails leaves an invalid
index behind; drop it, and migrate again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import backend.jobs.expressions


class AddIndexBesideWriters(AddIndexConcurrently):
    """Concurrently where the database can."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(
                self, app_label, schema_editor, from_state, to_state
            )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('jobs', '0006_indexes_of_finding'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='job',
            index=models.Index(backend.jobs.expressions.PrimaryLanguage('language_tag'), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('status', 'RECRUITING')), name='job_recruiting_by_language'),
        ),
        AddIndexBesideWriters(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'RECRUITING')), fields=['asset_code', 'asset_scale', '-reward_value', '-id'], name='job_recruiting_by_reward'),
        ),
    ]
