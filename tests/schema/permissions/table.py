"""Who may do and see what: every root field, and every object with an id.

A row that is missing here, or one too many, fails a test: whoever adds to the schema says who
may. Names in quotes are those of `world.py`. Nobody without a working token may do anything that
is not marked as public: the answer is UNAUTHENTICATED.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from backend.ids import new_id
from tests.jobs.people import NOON
from tests.schema.permissions.world import LOGGED_IN, World

Input = dict[str, Any]
More = Callable[[World], Input] | Input | None
USD = {"assetCode": "USD", "assetScale": 2}
NEW_JOB = {
    "title": "Record ten sentences",
    "description": "In a quiet room.",
    "deliverables": ["AUDIO"],
    "reward": {"value": "2500", **USD},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One mutation on one object, named by the field `id` of its input; None: on nothing there is.

    `may`: who does it. For those to whom `id` is hidden it does not exist; the others hear
    `otherwise`, or the code in `instead` for them.
    """

    input: Callable[[World], Input]
    id: str | None = None
    of: str = ""
    may: str = "everybody"
    hidden_from: str = ""
    otherwise: str = "FORBIDDEN"
    instead: Mapping[str, str] | None = None

    def expected(self, who: str) -> str:
        """The code for somebody who is logged in."""
        if self.may == "everybody" or who in self.may.split():
            return "OK"
        if who in self.hidden_from.split():
            return "NOT_FOUND"
        return (self.instead or {}).get(who, self.otherwise)


def _key() -> str:
    return str(new_id())


def on(type_name: str, name: str, *, more: More = None, **rule: Any) -> Mutation:
    """A mutation on the object `name`, in an input field that is called after its type."""
    id = f"{type_name[0].lower()}{type_name[1:]}Id"
    return Mutation(
        id=id,
        of=type_name,
        input=lambda world: {id: world.id(name), **(more(world) if callable(more) else more or {})},
        **rule,
    )


def job(name: str, **rule: Any) -> Mutation:
    """A mutation on a job."""
    return on("Job", name, **rule)


ALL_OTHERS = "stranger worker other operator auditor"
ALL_BUT_OPERATORS = "stranger worker other auditor"


def endpoint(more: Input | None = None) -> Mutation:
    """A change of a webhook endpoint: for all but its owner there is none to change."""
    return Mutation(
        id="endpointId",
        of="WebhookEndpoint",
        input=lambda world: {"endpointId": world.id("webhook endpoint"), **(more or {})},
        may="owner",
        hidden_from=ALL_OTHERS,
    )


SOON = (NOON + timedelta(days=9)).isoformat()
FAR = (NOON + timedelta(days=80)).isoformat()
RETURN = "http://127.0.0.1:8000/done"
HIDDEN_DRAFT = "stranger worker other"
NOT_A_SIDE = "stranger other"
NOT_A_PARTY = "stranger worker other"

MUTATIONS: dict[str, Mutation] = {
    # --- oneself
    "signUp": Mutation(
        input=lambda _: {
            "email": f"{new_id().hex}@example.com",
            "password": "correct horse battery",
            "displayName": "New",
        }
    ),
    "logIn": Mutation(
        input=lambda _: {"email": f"{new_id().hex}@example.com", "password": "no"},
        may="",
        otherwise="BAD_CREDENTIALS",
    ),
    "logOut": Mutation(input=lambda _: {}),
    "changePassword": Mutation(
        input=lambda _: {"currentPassword": "no", "newPassword": "correct horse battery"},
        may="",
        otherwise="BAD_CREDENTIALS",
    ),
    "updateProfile": Mutation(input=lambda _: {"bio": "I speak Otomi."}),
    "addWallet": Mutation(
        input=lambda _: {"address": "not a wallet"}, may="", otherwise="VALIDATION"
    ),
    "setDefaultWallet": on("Wallet", "wallet", may="owner", hidden_from=ALL_OTHERS),
    "removeWallet": on("Wallet", "wallet", may="owner", hidden_from=ALL_OTHERS),
    "endSession": on("Session", "session", may="owner", hidden_from=ALL_OTHERS),
    "createApiKey": Mutation(input=lambda _: {"name": "Shop", "scopes": ["READ", "MONEY"]}),
    "approveApiKey": on("ApiKey", "api key", may="operator", hidden_from="stranger worker other"),
    "revokeApiKey": on(
        "ApiKey", "api key", may="owner operator", hidden_from="stranger worker other"
    ),
    # --- jobs
    "createJob": Mutation(input=lambda _: NEW_JOB),
    "updateJob": job(
        "job draft",
        may="owner",
        hidden_from=HIDDEN_DRAFT,
        more={"expectedVersion": 1, "job": NEW_JOB},
    ),
    "publishJob": job("job draft", may="owner", hidden_from=HIDDEN_DRAFT),
    "duplicateJob": job("job recruiting", may="owner"),
    "closeRecruiting": job("job recruiting", may="owner"),
    "reopenRecruiting": job("job selecting", may="owner", more={"recruitUntil": SOON}),
    "extendJob": job("job recruiting", may="owner", more={"expiresAt": FAR}),
    "cancelJob": job("job recruiting", may="owner operator", more={"reason": "Not needed."}),
    "completeJob": job("job decided", may="owner"),
    "fundJob": job(
        "job recruiting",
        may="owner",
        more=lambda _: {"returnUrl": RETURN, "idempotencyKey": _key(), "sellerId": "shop"},
    ),
    "preFundJob": job(
        "job paid",
        may="owner",
        more=lambda _: {"returnUrl": RETURN, "idempotencyKey": _key()},
    ),
    "cancelFunding": on(
        "Funding",
        "secured funding",
        may="owner",
        hidden_from=NOT_A_PARTY,
        more=lambda _: {"idempotencyKey": _key()},
    ),
    "refundFunding": on(
        "Funding",
        "held funding",
        may="owner",
        hidden_from=NOT_A_PARTY,
        more=lambda _: {"idempotencyKey": _key()},
    ),
    "renewGrant": on(
        "Funding",
        "secured funding",
        may="owner",
        hidden_from=NOT_A_PARTY,
        more=lambda _: {"returnUrl": RETURN, "idempotencyKey": _key()},
    ),
    "retryPayment": on(
        "Payment",
        "failed payment",
        may="owner operator",
        hidden_from="stranger other",
        more=lambda _: {"idempotencyKey": _key()},
    ),
    "resolveUnknownPayment": on(
        "Payment",
        "stuck payment",
        may="operator",
        hidden_from="stranger other",
        more=lambda _: {
            "outcome": "FAILED",
            "evidenceUrl": "https://wallet.example/ticket",
            "note": "Nothing came.",
            "idempotencyKey": _key(),
        },
    ),
    "authorizeTreasury": Mutation(
        input=lambda _: {
            "limit": {"value": "100000", **USD},
            "returnUrl": RETURN,
            "idempotencyKey": _key(),
        },
        may="operator",
    ),
    # --- applications
    "applyToJob": job(
        "job recruiting",
        may="stranger worker operator auditor",
        instead={"other": "VALIDATION"},
    ),
    "withdrawApplication": on(
        "Application", "application", may="other", hidden_from="stranger worker"
    ),
    "decideApplications": job(
        "job recruiting",
        may="owner",
        more=lambda world: {"select": [world.id("application")]},
    ),
    # --- work
    "saveSubmission": job("job working", may="worker", more={"text": "Ten sentences."}),
    "submitWork": on(
        "Submission",
        "draft of work",
        may="worker",
        hidden_from="stranger owner other operator auditor",
    ),
    "reviewSubmission": on(
        "Submission",
        "submitted work",
        may="owner",
        hidden_from=NOT_A_SIDE,
        more=lambda _: {"decision": "ACCEPT", "idempotencyKey": _key()},
    ),
    "acknowledgeDecision": on("Submission", "rejected work", may="worker", hidden_from=NOT_A_SIDE),
    # --- disputes
    "openDispute": on(
        "Submission",
        "rejected work",
        may="worker",
        hidden_from=NOT_A_SIDE,
        more={"reason": "It is what was asked for."},
    ),
    "respondToDispute": on(
        "Dispute", "open dispute", may="owner", hidden_from=NOT_A_SIDE, more={"response": "No."}
    ),
    "escalateDispute": on("Dispute", "answered dispute", may="worker", hidden_from=NOT_A_SIDE),
    "withdrawDispute": on("Dispute", "open dispute", may="worker", hidden_from=NOT_A_SIDE),
    "resolveDispute": on(
        "Dispute",
        "answered dispute",
        may="operator",
        hidden_from=NOT_A_SIDE,
        more=lambda _: {
            "workerShare": {"value": "2000", **USD},
            "payerShare": {"value": "500", **USD},
            "note": "Four fifths.",
            "idempotencyKey": _key(),
        },
    ),
    # --- the books
    "requestExport": Mutation(input=lambda _: {}),
    # --- webhooks
    "createWebhookEndpoint": Mutation(
        input=lambda _: {"url": "https://hooks.example/faena", "events": ["*"]}
    ),
    "updateWebhookEndpoint": endpoint(more={"active": False}),
    "deleteWebhookEndpoint": endpoint(),
    "rotateWebhookSecret": endpoint(),
    "replayEvents": Mutation(
        id="endpointId",
        of="WebhookEndpoint",
        input=lambda world: {
            "endpointId": world.id("webhook endpoint"),
            "since": NOON.isoformat(),
        },
        may="owner operator",
        hidden_from=ALL_BUT_OPERATORS,
    ),
    "replayWebhookDelivery": Mutation(
        id="deliveryId",
        of="WebhookDelivery",
        input=lambda world: {"deliveryId": world.id("webhook delivery")},
        may="owner operator",
        hidden_from=ALL_BUT_OPERATORS,
    ),
    # --- consent and files
    "confirmGrant": on("Grant", "grant", may="owner", hidden_from=ALL_OTHERS),
    "requestUpload": Mutation(
        input=lambda _: {
            "name": "voice.txt",
            "mediaType": "text/plain",
            "size": 5,
            "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        }
    ),
    "resumeUpload": on(
        "File",
        "unfinished file",
        may="owner",
        hidden_from=ALL_OTHERS,
    ),
    "completeUpload": on(
        "File",
        "unfinished file",
        may="",
        hidden_from=ALL_OTHERS,
        # Nothing of it has been brought.
        instead={"owner": "VALIDATION"},
    ),
}
# For these no token is needed.
PUBLIC_MUTATIONS = frozenset({"signUp", "logIn"})

# --- reading

EVERYBODY = " ".join(("visitor", *LOGGED_IN))
SEES_ALL = "operator auditor"

# Who sees the object at all; to everybody else it does not exist.
OBJECTS: dict[str, str] = {
    "owner": EVERYBODY,
    "wallet": "owner",
    "session": "owner",
    "api key": f"owner {SEES_ALL}",
    "job draft": f"owner {SEES_ALL}",
    "job recruiting": EVERYBODY,
    "job selecting": EVERYBODY,
    "job working": EVERYBODY,
    "job decided": EVERYBODY,
    "job paid": EVERYBODY,
    "application": f"owner other {SEES_ALL}",
    "draft of work": "worker",
    "submitted work": f"owner worker {SEES_ALL}",
    "rejected work": f"owner worker {SEES_ALL}",
    "open dispute": f"owner worker {SEES_ALL}",
    "answered dispute": f"owner worker {SEES_ALL}",
    "funding": f"owner {SEES_ALL}",
    "payment": f"owner worker {SEES_ALL}",
    "completed payment": f"owner worker {SEES_ALL}",
    "grant": "owner",
    "discrepancy": SEES_ALL,
    "secured funding": f"owner {SEES_ALL}",
    "held funding": f"owner {SEES_ALL}",
    "promise": f"owner worker {SEES_ALL}",
    "failed payment": f"owner worker {SEES_ALL}",
    "stuck payment": f"owner worker {SEES_ALL}",
    "promised application": f"owner worker {SEES_ALL}",
    "webhook endpoint": f"owner {SEES_ALL}",
    "webhook delivery": f"owner {SEES_ALL}",
    "file": "owner",
    "unfinished file": "owner",
    "file of a draft": "worker",
}

# Of an object that one sees, the fields that hold something for these people only. (What they
# hold follows from the object: a list of parts has those that one sees.)
FIELDS: dict[tuple[str, str], dict[str, str]] = {
    ("User", "owner"): {
        "email": "owner",
        "locale": "owner",
        "notify": "owner",
        "wallets": "owner",
        "defaultWallet": "owner",
        "roles": "",
        "sessions": "owner",
        "apiKeys": "owner",
    },
    ("Job", "job recruiting"): {"applications": f"owner other {SEES_ALL}"},
    ("Job", "job working"): {"submissions": "worker"},
    ("Job", "job paid"): {
        "fundings": f"owner {SEES_ALL}",
        "payments": f"owner worker {SEES_ALL}",
    },
    ("Application", "application"): {"payoutWallet": "other"},
    ("Application", "promised application"): {
        "allocation": f"owner worker {SEES_ALL}",
        "allocations": f"owner worker {SEES_ALL}",
    },
    ("Submission", "submitted work"): {"payouts": f"owner worker {SEES_ALL}"},
    ("Funding", "secured funding"): {"grants": "owner"},
    ("Allocation", "promise"): {"application": f"owner worker {SEES_ALL}"},
    ("Payment", "payment"): {
        "grant": "owner",
        "incomingPaymentUrl": "owner worker",
        "quoteUrl": f"owner {SEES_ALL}",
        "outgoingPaymentUrl": f"owner {SEES_ALL}",
        "resolutions": SEES_ALL,
    },
    ("WebhookEndpoint", "webhook endpoint"): {"deliveries": f"owner {SEES_ALL}"},
    ("Payment", "completed payment"): {"receipt": "owner worker"},
}

# All other fields, which are seen with their object. A new one is named here or above.
OPEN_FIELDS: dict[str, str] = {
    "User": "id displayName languages bio avatar",
    "Wallet": ("id address publicName assetCode assetScale authServer resourceServer isDefault"),
    "Session": "id deviceName createdAt lastUsedAt expiresAt isCurrent",
    "ApiKey": "id name prefix scopes testMode createdAt approvedAt lastUsedAt",
    "Job": (
        "id version title description languageTag dialect deliverables pricing reward "
        "workersNeeded totalBudget platformFee status recruitLimit recruitUntil submitDays "
        "submitUntil reviewDays expiresAt closeRecruitingWhenFunded createdAt updatedAt owner "
        "fundingAssurance authorizedUntil allowedActions acceptedCount applicationCount references "
        "titleAudio"
    ),
    "Application": (
        "id note status createdAt updatedAt job applicant attachments allowedActions submissions"
    ),
    "Submission": (
        "id revision status note text links comment reward accepted isSuperseded submittedAt "
        "reviewBy reviseUntil decidedAt disputeUntil autoAccepted createdAt updatedAt job worker "
        "files dispute allowedActions"
    ),
    "Dispute": (
        "id status reason response amount workerShare payerShare answerBy resolution resolvedAt "
        "createdAt updatedAt submission openedBy evidence responseEvidence allowedActions"
    ),
    "Funding": (
        "id mode status sellerId total fee feePaid released refunded remaining createdAt updatedAt "
        "job payments allocations allowedActions failure"
    ),
    "Payment": (
        "id purpose status from to receiveAmount debitAmount maxDebit deliveredAmount "
        "refusedReceiveAmount createdAt updatedAt job failure attempts"
    ),
    "Grant": "id status redirectUrl expiresAt maxDebit scope spent validUntil",
    "Allocation": "id amount released status validUntil estimatedReceive",
    "Discrepancy": "id kind expected actual firstSeenAt lastSeenAt resolvedAt payment",
    "WebhookEndpoint": (
        "id url events format everything active disabledBecause disabledAt failingSince "
        "previousSecretUntil createdAt"
    ),
    "WebhookDelivery": (
        "id eventId type topic cursor eventAt status attemptsMade nextAttemptAt endedAt attempts"
    ),
    "File": "id name mediaType size sha256 status createdAt downloadUrl",
}

# Root fields of queries, and what those without a working token get.
QUERIES: dict[str, str] = {
    "node": "see OBJECTS",
    "job": "see OBJECTS",
    "payment": "see OBJECTS",
    "payments": "see OBJECTS",
    "funding": "see OBJECTS",
    "previewFunding": "the owner of the job",
    "myApplications": "who is logged in: their own",
    "myMoney": "who is logged in: their own",
    "treasuryGrants": "operator: those one asked for",
    "discrepancies": "see OBJECTS",
    "events": "who is logged in: their own",
    "webhookEndpoints": "see OBJECTS",
    "jobs": "everybody: what is published",
    "viewer": "everybody: oneself",
    "lookupWallet": "who is logged in",
    "health": "everybody",
}
SUBSCRIPTIONS: dict[str, str] = {
    "paymentStatus": f"owner worker {SEES_ALL}",
    "fundingStatus": f"owner {SEES_ALL}",
    "jobEvents": f"owner {SEES_ALL}",
    "viewerEvents": "who is logged in: their own",
}
