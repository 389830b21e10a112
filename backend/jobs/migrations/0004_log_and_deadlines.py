"""Keep what was logged about jobs, and let time move those that are under way."""

from django.db import migrations
from django.db.models import F


def keep_the_log(apps, schema_editor):
    JobTransition = apps.get_model("jobs", "JobTransition")
    StatusChange = apps.get_model("jobs", "StatusChange")
    StatusChange.objects.bulk_create(
        (
            StatusChange(
                id=row.id,
                job_id=row.job_id,
                kind="job",
                subject_id=row.job_id,
                old=row.old,
                new=row.new,
                actor_id=row.actor_id,
                at=row.at,
            )
            for row in JobTransition.objects.order_by("id").iterator()
        ),
        batch_size=500,
    )


def set_deadlines(apps, schema_editor):
    Job = apps.get_model("jobs", "Job")
    # A job recruits until before it expires: the constraint on published jobs says so.
    Job.objects.filter(status="RECRUITING").update(due_at=F("recruit_until"))
    Job.objects.filter(status="SELECTING").update(due_at=F("expires_at"))
    # Payments for jobs belong to a domain above this one; only its row says that one is moving.
    Funding = apps.get_model("funding", "Funding")
    moving = Funding.objects.filter(status="AWAITING_APPROVAL").values("job_id")
    Job.objects.filter(id__in=moving).update(money_moving=True)


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0003_the_whole_life'),
        ('funding', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(keep_the_log, migrations.RunPython.noop),
        migrations.RunPython(set_deadlines, migrations.RunPython.noop),
    ]
