"""Access tokens: issued, rotated, revoked, expired, and in the end forgotten.

As in Rafiki an expired token can still be rotated, until it is purged `token_purge_s` after
it expired; rotation changes both value and manage URL and kills the old token.

Spec: Open Payments auth server 1.3.0, /token/{id}; RFC 9635 section 6.
"""

import hmac
import json
import sqlite3
from dataclasses import dataclass

from sandbox_wallet import clients
from sandbox_wallet.access import find_access
from sandbox_wallet.bank import Bank, Call, Wallet
from sandbox_wallet.clock import SECOND
from sandbox_wallet.signed import check_for_auth_server, check_for_resource_server
from sandbox_wallet.wire import (
    NO_CONTENT,
    Json,
    Refusal,
    WireResponse,
    auth_refusal,
    json_response,
    resource_refusal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a checked request may do: under which grant, for which client, by which item."""

    grant_id: str
    client: str
    access: Json

    def covers_all(self, action: str) -> bool:
        """Tell whether resources of other clients are included."""
        return f"{action}-all" in self.access["actions"]


def presented(call: Call) -> str | None:
    """Return the token in the Authorization header, or None when there is none."""
    scheme, _, token = (call.request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme == "GNAP" else None


def issue(bank: Bank, call: Call, grant_id: str) -> Json:
    """Create a token for a grant and return it as the auth server shows it."""
    value, manage_id, life = bank.new_secret(), bank.new_id(), bank.options.token_life_s
    bank.db.execute(
        "INSERT INTO tokens (value, manage_id, grant_id, expires_at) VALUES (?, ?, ?, ?)",
        (value, manage_id, grant_id, call.now + life * SECOND),
    )
    grant = bank.db.execute("SELECT access FROM grants WHERE id = ?", (grant_id,)).fetchone()
    return {
        "value": value,
        "manage": f"{bank.base_url}/token/{manage_id}",
        "expires_in": life,
        "access": json.loads(grant["access"]),
    }


def rotate_token(bank: Bank, call: Call) -> WireResponse:
    """Replace a token by a new one of the same grant."""
    token = _managed_token(bank, call)
    bank.db.execute("UPDATE tokens SET revoked = 1 WHERE value = ?", (token["value"],))
    return json_response(200, {"access_token": issue(bank, call, token["grant_id"])})


def revoke_token(bank: Bank, call: Call) -> WireResponse:
    """End a token; the grant stays, but only a rotation could have kept it usable."""
    token = _managed_token(bank, call)
    bank.db.execute("UPDATE tokens SET revoked = 1 WHERE value = ?", (token["value"],))
    return NO_CONTENT


def _managed_token(bank: Bank, call: Call) -> sqlite3.Row:
    row: sqlite3.Row | None = bank.db.execute(
        "SELECT tokens.*, client, client_jwk FROM tokens JOIN grants ON grants.id = grant_id"
        " WHERE manage_id = ?",
        (call.args["id"],),
    ).fetchone()
    value = presented(call)
    # Rafiki would rotate without any Authorization header; the specification asks for it.
    if (
        row is None
        or value is None
        or not hmac.compare_digest(value.encode(), row["value"].encode())
    ):
        raise auth_refusal(401, "invalid_client", "invalid access token")
    call.client = row["client"]
    check_for_auth_server(bank, call, clients.client_from_row(row["client"], row["client_jwk"]))
    purged_at = row["expires_at"] + round(bank.options.token_purge_s * SECOND)
    if row["revoked"] or call.now >= purged_at:
        raise auth_refusal(401, "invalid_client", "invalid access token")
    return row


def authorise(bank: Bank, call: Call, *, kind: str, action: str, wallet: Wallet) -> Permission:
    """Check token, access and signature of a request to a resource server.

    Raises:
        Refusal: with the status and words of the first check that failed.
    """
    value = presented(call)
    if value is None:
        raise _challenge(bank, wallet, 401, "Missing or invalid authorization header value")
    row = bank.db.execute(
        "SELECT grant_id, expires_at, revoked, tenant, client, client_jwk, access, state"
        " FROM tokens JOIN grants ON grants.id = grant_id WHERE value = ?",
        (value,),
    ).fetchone()
    if row is None or row["tenant"] != wallet.tenant:
        raise _challenge(bank, wallet, 403, "Inactive Token")
    call.client = row["client"]
    expired = call.now >= row["expires_at"] and not call.late
    if expired or row["revoked"] or row["state"] != "issued":
        raise _challenge(bank, wallet, 403, "Inactive Token")
    access = find_access(json.loads(row["access"]), kind, action, wallet)
    if access is None:
        raise _challenge(bank, wallet, 403, "Insufficient Grant")
    check_for_resource_server(bank, call, clients.client_from_row(row["client"], row["client_jwk"]))
    return Permission(grant_id=row["grant_id"], client=row["client"], access=access)


def _challenge(bank: Bank, wallet: Wallet, status: int, description: str) -> Refusal:
    challenge = f"GNAP as_uri={bank.auth_server(wallet.tenant)}"
    return resource_refusal(status, description, ("www-authenticate", challenge))


def wallet_of_token(bank: Bank, call: Call, kind: str) -> Wallet:
    """Return the wallet that the presented token's access of this kind is about.

    Raises:
        Refusal: there is no token, or none that names a wallet of this resource server.
    """
    row = bank.db.execute(
        "SELECT tenant, access FROM tokens JOIN grants ON grants.id = grant_id WHERE value = ?",
        (presented(call),),
    ).fetchone()
    items = [] if row is None or row["tenant"] != call.args["tenant"] else json.loads(row["access"])
    for item in items:
        if item["type"] == kind and (wallet := bank.wallet_at(item.get("identifier"))):
            call.wallet = wallet.name
            return wallet
    description = "Insufficient Grant" if items else "Inactive Token"
    if presented(call) is None:
        raise resource_refusal(401, "Missing or invalid authorization header value")
    raise resource_refusal(403, description)
