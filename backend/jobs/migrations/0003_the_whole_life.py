import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import backend.ids


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0001_initial'),
        ('jobs', '0002_search'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.UUIDField(default=backend.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('status', models.CharField(default='OPEN', max_length=20)),
                ('reason', models.TextField()),
                ('response', models.TextField(blank=True)),
                ('amount_value', models.BigIntegerField()),
                ('worker_value', models.BigIntegerField(null=True)),
                ('answer_by', models.DateTimeField(null=True)),
                ('resolution', models.TextField(blank=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='StatusChange',
            fields=[
                ('id', models.UUIDField(default=backend.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('subject_id', models.UUIDField()),
                ('old', models.CharField(max_length=20)),
                ('new', models.CharField(max_length=20)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.UUIDField(default=backend.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('revision', models.PositiveIntegerField()),
                ('status', models.CharField(default='DRAFT', max_length=20)),
                ('note', models.TextField(blank=True)),
                ('text', models.TextField(blank=True)),
                ('links', models.JSONField(default=list)),
                ('reward_value', models.BigIntegerField()),
                ('accepted_value', models.BigIntegerField(default=0)),
                ('comment', models.TextField(blank=True)),
                ('submitted_at', models.DateTimeField(null=True)),
                ('review_by', models.DateTimeField(null=True)),
                ('revise_until', models.DateTimeField(null=True)),
                ('dispute_until', models.DateTimeField(null=True)),
                ('superseded_at', models.DateTimeField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('auto_accepted', models.BooleanField(default=False)),
                ('reminders', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='application',
            name='attachments',
            field=models.ManyToManyField(related_name='+', to='files.file'),
        ),
        migrations.AddField(
            model_name='job',
            name='due_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='money_moving',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='job',
            name='pricing',
            field=models.CharField(default='FIXED_RECEIVE', max_length=16),
        ),
        migrations.AddField(
            model_name='job',
            name='references',
            field=models.ManyToManyField(related_name='+', to='files.file'),
        ),
        migrations.AddField(
            model_name='job',
            name='submit_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='title_audio',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='files.file'),
        ),
        migrations.AlterField(
            model_name='application',
            name='status',
            field=models.CharField(default='PENDING', max_length=20),
        ),
        migrations.AlterField(
            model_name='job',
            name='status',
            field=models.CharField(default='DRAFT', max_length=20),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='job_due'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='application',
            trigger=pgtrigger.compiler.Trigger(name='application_not_by_owner', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT 1 FROM jobs_job WHERE id = NEW.job_id AND owner_id = NEW.applicant_id\n                    ) THEN\n                        RAISE EXCEPTION 'nobody applies to a job of their own'\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='122068176d74fa3316912dc7cc65e798a683dec1', operation='INSERT', pgid='pgtrigger_application_not_by_owner_da7d5', table='jobs_application', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('pricing__in', ['FIXED_RECEIVE', 'FIXED_SEND'])), name='job_pricing_known'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='evidence',
            field=models.ManyToManyField(related_name='+', to='files.file'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='resolved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='response_evidence',
            field=models.ManyToManyField(related_name='+', to='files.file'),
        ),
        migrations.AddField(
            model_name='statuschange',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='statuschange',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='status_changes', to='jobs.job'),
        ),
        migrations.AddField(
            model_name='submission',
            name='application',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='jobs.application'),
        ),
        migrations.AddField(
            model_name='submission',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='submission',
            name='files',
            field=models.ManyToManyField(related_name='+', to='files.file'),
        ),
        migrations.AddField(
            model_name='submission',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='jobs.job'),
        ),
        migrations.AddField(
            model_name='submission',
            name='worker',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='submission',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='dispute', to='jobs.submission'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statuschange',
            trigger=pgtrigger.compiler.Trigger(name='status_change_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e6abc11bc15efc9720509370e41609ee1e3b7876', operation='UPDATE OR DELETE', pgid='pgtrigger_status_change_append_only_5f882', table='jobs_statuschange', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='submission',
            index=models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at'], name='submission_due'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.UniqueConstraint(fields=('application', 'revision'), name='submission_revision_once'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'DRAFT')), fields=('application',), name='submission_one_draft'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('status', 'DRAFT'), _negated=True), ('superseded_at__isnull', True)), fields=('application',), name='submission_one_live'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['ACCEPTED', 'CHANGES_REQUESTED', 'DISPUTED', 'DRAFT', 'REJECTED', 'SUBMITTED'])), name='submission_status_known'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(('accepted_value__gte', 0), ('accepted_value__lte', models.F('reward_value')), ('revision__gte', 1), ('reward_value__gt', 0)), name='submission_amounts_range'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('accepted_value', 0), ('status__in', ['DRAFT', 'SUBMITTED', 'CHANGES_REQUESTED', 'REJECTED'])), models.Q(('accepted_value__gt', 0), ('status', 'ACCEPTED')), ('status', 'DISPUTED'), _connector='OR'), name='submission_accepted_value_fits_status'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(('status', 'DRAFT'), models.Q(('review_by__isnull', False), ('submitted_at__isnull', False)), _connector='OR'), name='submission_submitted_has_deadline'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='submission',
            trigger=pgtrigger.compiler.Trigger(name='submission_by_selected_worker', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT 1 FROM jobs_application\n                        WHERE id = NEW.application_id AND job_id = NEW.job_id\n                            AND applicant_id = NEW.worker_id AND status = 'SELECTED'\n                    ) THEN\n                        RAISE EXCEPTION 'only a selected worker hands in work'\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='b4b748eeaead790adc1522f84a6fc465868ddb83', operation='INSERT', pgid='pgtrigger_submission_by_selected_worker_c3236', table='jobs_submission', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at'], name='dispute_due'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['ESCALATED', 'OPEN', 'RESOLVED', 'RESPONDED', 'WITHDRAWN'])), name='dispute_status_known'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('amount_value__gt', 0), models.Q(('worker_value__isnull', True), models.Q(('worker_value__gte', 0), ('worker_value__lte', models.F('amount_value'))), _connector='OR')), name='dispute_shares_range'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'RESOLVED'), ('worker_value__isnull', False)), models.Q(models.Q(('status', 'RESOLVED'), _negated=True), ('worker_value__isnull', True)), _connector='OR'), name='dispute_resolved_has_shares'),
        ),
    ]
