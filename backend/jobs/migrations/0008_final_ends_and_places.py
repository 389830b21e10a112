"""PostgreSQL itself keeps ends final, and no more people selected than there are places."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0007_indexes_of_recruiting'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='application',
            trigger=pgtrigger.compiler.Trigger(name='application_selected_within_workers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'SELECTED\')', constraint='CONSTRAINT', func="\n                    PERFORM 1 FROM jobs_job WHERE id = NEW.job_id FOR UPDATE;\n                    IF (\n                        SELECT COUNT(*) FROM jobs_application\n                        WHERE job_id = NEW.job_id AND status = 'SELECTED'\n                    ) > (SELECT workers_needed FROM jobs_job WHERE id = NEW.job_id) THEN\n                        RAISE EXCEPTION 'more are selected than the job needs workers'\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NULL;\n                ", hash='63a92444f48cd4a602ab78edbd1b066af45ac9e6', operation='INSERT OR UPDATE OF "status"', pgid='pgtrigger_application_selected_within_workers_1014b', table='jobs_application', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dispute',
            trigger=pgtrigger.compiler.Trigger(name='dispute_end_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IS DISTINCT FROM (NEW."status") AND OLD."status" IN (\'RESOLVED\', \'WITHDRAWN\'))', func="\n            RAISE EXCEPTION 'what has ended does not move again'\n                USING ERRCODE = 'check_violation';\n        ", hash='6f81db59776cabca803882f22e64028cdf708d8a', operation='UPDATE OF "status"', pgid='pgtrigger_dispute_end_is_final_e3549', table='jobs_dispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='job',
            trigger=pgtrigger.compiler.Trigger(name='job_end_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IS DISTINCT FROM (NEW."status") AND OLD."status" IN (\'CANCELED\', \'COMPLETE\', \'EXPIRED\'))', func="\n            RAISE EXCEPTION 'what has ended does not move again'\n                USING ERRCODE = 'check_violation';\n        ", hash='518128d072dc16cdfd69744327cc2066d44645c1', operation='UPDATE OF "status"', pgid='pgtrigger_job_end_is_final_c7bf6', table='jobs_job', when='BEFORE')),
        ),
    ]
