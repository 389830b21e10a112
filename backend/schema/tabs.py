"""What GraphiQL opens with: the first minutes with this API, ready to run."""

from backend.schema.graphiql import Tab

TABS = (
    Tab(
        query=(
            "# Is everything there?\n"
            "query Health {\n  health {\n    status\n    checks { name ok latencyMs }\n  }\n}\n"
        ),
    ),
    Tab(
        query=(
            "# Copy the token into the header pane of the next tabs.\n"
            "mutation SignUp($input: SignUpInput!) {\n  signUp(input: $input) {\n"
            "    token\n    user { id displayName }\n"
            "    errors { code message path }\n  }\n}\n"
        ),
        variables={
            "input": {
                "email": "ada@example.com",
                "password": "correct horse battery",
                "displayName": "Ada",
            }
        },
    ),
    Tab(
        query=(
            "query Viewer {\n  viewer {\n    id\n    displayName\n"
            "    wallets { id address assetCode assetScale }\n  }\n}\n"
        ),
        headers={"Authorization": "Bearer <token>"},
    ),
    Tab(
        query=(
            "# Runs until the payment is over. Keep the cursor: `after` resumes behind it.\n"
            "subscription PaymentStatus($id: ID!, $after: EventCursor) {\n"
            "  paymentStatus(paymentId: $id, after: $after) {\n"
            "    cursor\n    status\n    previous\n    terminal\n"
            "    payment { grant { redirectUrl } deliveredAmount { value assetCode } }\n  }\n}\n"
        ),
        variables={"id": "<payment id>"},
        headers={"Authorization": "Bearer <token>"},
    ),
)
