"""What an API key must have for each mutation. Those that are not here are for people only.

cancelJob and completeJob need MONEY as well while money stands behind the job: it goes back with
them. Queries and subscriptions need READ. A key cannot touch what keeps an account safe: its
sessions, profile, wallets and keys, and an approval that came back to another browser.
"""

from collections.abc import Mapping
from types import MappingProxyType

from backend.accounts.models import Scope

_JOBS = """
createJob updateJob publishJob duplicateJob closeRecruiting reopenRecruiting extendJob cancelJob
completeJob applyToJob withdrawApplication decideApplications saveSubmission submitWork
acknowledgeDecision openDispute respondToDispute escalateDispute withdrawDispute
requestUpload resumeUpload completeUpload
"""
_MONEY = """
fundJob preFundJob cancelFunding refundFunding renewGrant retryPayment reviewSubmission
resolveDispute
"""

SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        **dict.fromkeys(_JOBS.split(), Scope.JOBS),
        **dict.fromkeys(_MONEY.split(), Scope.MONEY),
    }
)
