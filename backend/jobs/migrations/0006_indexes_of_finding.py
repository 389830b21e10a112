"""Whoever looks for work reads the jobs that recruit: a few per cent, with small indexes of their own.

The index of words among them is for PostgreSQL only, as the column is (0002).
"""

from django.conf import settings
from django.db import migrations, models

WORDS = """
CREATE INDEX job_recruiting_by_words ON jobs_job USING gin (search)
WITH (gin_pending_list_limit = 256) WHERE status = 'RECRUITING';
"""


def add_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(WORDS, params=None)


def drop_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX job_recruiting_by_words;", params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0001_initial'),
        ('jobs', '0005_delete_jobtransition'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='job',
            name='job_by_status',
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'RECRUITING')), fields=['-id'], name='job_recruiting'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('status__in', ['REVIEWING', 'SELECTING', 'SUBMITTING'])), fields=['-id'], name='job_under_way'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('status__in', ['CANCELED', 'COMPLETE', 'EXPIRED'])), fields=['-id'], name='job_over'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'RECRUITING')), fields=['recruit_until', 'id'], name='job_recruiting_by_deadline'),
        ),
        migrations.RunPython(add_words, drop_words),
    ]
