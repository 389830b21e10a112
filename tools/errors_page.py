"""`python -m tools.errors_page`: docs/errors.md from the table of codes; --check only compares."""

import sys

from backend.schema.error_codes import CODES, Code
from tools.processes import ROOT

PAGE = ROOT / "docs" / "errors.md"
TEXT = """\
# Errors

A refusal has a **code**, which programs decide by, and a **message** for people, in their language.
Codes are added without notice: treat one that you do not know as a refusal that only its message
explains. Messages are reworded without notice.

This page is written from `backend/schema/error_codes.py` by `make schema`; the same texts stand in
[schema.graphql](../schema.graphql) at `ErrorCode`.

## Where they stand

**Refusal**: what a mutation foresees comes back as data, in the payload's `errors`. Then nothing
was changed, so that repeating is always safe; `retryable` says whether it is of use. `path` names
the input.

<!-- played by tests/schema/test_error_codes.py -->
```json
{{
  "data": {{
    "applyToJob": {{
      "application": null,
      "errors": [
        {{
          "code": "WALLET_REQUIRED",
          "message": "Add a wallet address to be paid to before applying.",
          "path": ["payoutWalletId"],
          "retryable": false
        }}
      ]
    }}
  }}
}}
```

Queries and subscriptions have no payload: what they refuse stands at the top level, with the same
code.

**Top level**: what concerns the request and not its input stands in the answer's own `errors`.

<!-- played by tests/schema/test_error_codes.py -->
```json
{{
  "data": null,
  "errors": [
    {{
      "message": "Too many tries. Try again in 300 s.",
      "path": ["logIn"],
      "extensions": {{ "code": "RATE_LIMITED", "retryable": true, "retryAfterSeconds": 300 }}
    }}
  ]
}}
```

**`Payment.failure`**: nobody waits for an answer when a payment ends. Its payer reads why in
`failure`, where `retryable` says whether funding again can help. Where a consent could not be had
in mode PREAPPROVED there is no payment, and `Funding.failure` says why.

**HTTP**: GraphQL answers with status 200, whatever is in it; with 429 where there is no data and
all that was asked for is RATE_LIMITED. `Retry-After` says for how many seconds, beside data too. A
request that is none is refused with a 4xx status, and a server that fails outside of GraphQL
answers 500; both in the top-level shape.
The addresses that files are sent to and fetched from answer with fitting statuses.

## Codes

*Again* says whether the very same request can succeed later.

| Code | What it means | What a client does | Again | Where |
|---|---|---|---|---|
{rows}
"""


def main() -> int:
    """Write the page, or with --check return 1 if it is not what the table says."""
    text = TEXT.format(rows="\n".join(_row(code, entry) for code, entry in CODES.items()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/errors.md is not what backend/schema/error_codes.py says: run `make schema`")
    return 1


def _row(code: str, entry: Code) -> str:
    where = ", ".join(entry.places)
    return f"| `{code}` | {entry.meaning} | {entry.advice} | {entry.repeat} | {where} |"


if __name__ == "__main__":
    sys.exit(main())
