"""What this domain announces to the money behind it. It knows nothing of who listens.

All of them are sent inside the transaction of the change: what a listener writes is written with
it, and what it refuses takes the change back.
"""

from django.dispatch import Signal

# A job's status has changed. job: Job, old: JobStatus's value, at: datetime, tell: puts an event of
# the listener's into a feed, in its place among those of the change.
job_moved = Signal()
# Somebody selected is not selected any more. application: Application, at: datetime.
no_longer_selected = Signal()
# Some of a worker's reward has been accepted, and is owed from now on; it may happen again for
# the rest. submission: Submission, value: int in the asset's smallest unit, at: datetime.
work_accepted = Signal()
# Nothing more of this worker's reward can be accepted. submission: Submission, at: datetime.
work_settled = Signal()
