"""Jobs, the applications to them, the work handed in, the disputes about it, and their log."""

from backend.jobs.models.application import Application
from backend.jobs.models.dispute import Dispute
from backend.jobs.models.job import LARGEST_VALUE, MOST_WORKERS, Job
from backend.jobs.models.log import StatusChange
from backend.jobs.models.submission import Submission

__all__ = [
    "LARGEST_VALUE",
    "MOST_WORKERS",
    "Application",
    "Dispute",
    "Job",
    "StatusChange",
    "Submission",
]
