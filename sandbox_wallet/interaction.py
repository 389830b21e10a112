"""The front channel: a browser comes with a redirect, somebody decides, the browser goes back.

    /interact/{id}/{nonce}  ->  /consent/{id}/{nonce}  ->  /interact/{id}/{nonce}/finish  ->  client

Spec: RFC 9635 section 4; the redirects back follow Rafiki.
"""

import base64
import hashlib
import hmac
import sqlite3
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote

from sandbox_wallet import pages
from sandbox_wallet.bank import Bank, Call
from sandbox_wallet.wire import WireResponse

_COOKIE = "sandbox-consent"
_UNKNOWN = ("Unknown request", "This link does not belong to any request of this wallet.")


def start_interaction(bank: Bank, call: Call) -> WireResponse:
    """Bind a visit to this browser and lead it to the consent page."""
    grant = _grant(bank, call)
    if grant is None:
        return pages.message(404, *_UNKNOWN)
    if _settled(grant, call.now) is not None or grant["state"] == "approved":
        return _redirect(finish_location(bank, grant, call.now))
    visit = bank.new_secret()
    cookie = (
        f"{_COOKIE}={visit}.{_seal(bank, grant, 'visit', visit)}; Path=/; HttpOnly; SameSite=Lax"
    )
    if bank.base_url.startswith("https:"):
        cookie += "; Secure"
    place = f"/consent/{call.args['id']}/{call.args['nonce']}"
    return _redirect(f"{bank.base_url}{place}", ("set-cookie", cookie))


def show_consent(bank: Bank, call: Call) -> WireResponse:
    """Show who asks for what."""
    grant = _grant(bank, call)
    if grant is None:
        return pages.message(404, *_UNKNOWN)
    if (over := _settled(grant, call.now)) is not None:
        return pages.message(200, *over)
    visit = _visit(bank, call, grant)
    if visit is None:
        return pages.message(401, "Please start again", "Open the link from the app once more.")
    csrf = _seal(bank, grant, "csrf", visit)
    return pages.consent(bank, grant, csrf=csrf)


def decide_consent(bank: Bank, call: Call) -> WireResponse:
    """Record the decision of the person at the consent page."""
    grant = _grant(bank, call)
    if grant is None:
        return pages.message(404, *_UNKNOWN)
    visit = _visit(bank, call, grant)
    form = parse_qs(call.request.body.decode("utf-8", "replace"))
    csrf, decision = (form.get(name, [""])[0] for name in ("csrf", "decision"))
    expected = "" if visit is None else _seal(bank, grant, "csrf", visit)
    if visit is None or not hmac.compare_digest(csrf.encode(), expected.encode()):
        return pages.message(403, "Please start again", "This form did not come from this browser.")
    if decision not in ("approve", "decline"):
        return pages.message(400, "No decision", "Choose approve or decline.")
    decide(bank, grant, call.now, approve=decision == "approve")
    place = f"/interact/{call.args['id']}/{call.args['nonce']}/finish"
    return _redirect(f"{bank.base_url}{place}")


def finish_interaction(bank: Bank, call: Call) -> WireResponse:
    """Send the browser back to the client with the outcome."""
    grant = _grant(bank, call)
    if grant is None:
        return pages.message(404, *_UNKNOWN)
    if _visit(bank, call, grant) is None:
        return pages.message(401, "Please start again", "Open the link from the app once more.")
    return _redirect(finish_location(bank, grant, call.now))


def show_done(bank: Bank, call: Call) -> WireResponse:
    """Say goodbye where no client waits for the browser."""
    return pages.message(200, "All done", "You can close this window and go back to the app.")


def decide(bank: Bank, grant: sqlite3.Row, now: int, *, approve: bool) -> None:
    """Approve or decline a pending grant; one that is over stays as it is."""
    if _settled(grant, now) is None:
        state = "approved" if approve else "rejected"
        bank.db.execute("UPDATE grants SET state = ? WHERE id = ?", (state, grant["id"]))


def grant_behind(bank: Bank, redirect: str) -> sqlite3.Row | None:
    """Return the grant whose interaction starts at the URL `redirect`, or None."""
    if not redirect.startswith(f"{bank.base_url}/interact/"):
        return None
    parts = redirect[len(bank.base_url) :].partition("?")[0].split("/")
    return _find(bank, parts[2], parts[3]) if len(parts) == 4 else None


def finish_location(bank: Bank, grant: sqlite3.Row, now: int) -> str:
    """Return where the browser goes now, and mark an approved interaction as used.

    Spec: RFC 9635 section 4.2.1 (the redirect) and 4.2.3 (the hash).
    """
    row = bank.db.execute("SELECT * FROM grants WHERE id = ?", (grant["id"],)).fetchone()
    outcome = _outcome(bank, row, now)
    bank.db.execute("UPDATE grants SET finished = 1 WHERE id = ?", (row["id"],))
    if row["finish_uri"] is None:
        return f"{bank.base_url}/done"
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in outcome.items())
    before, hash_mark, fragment = row["finish_uri"].partition("#")
    return f"{before}{'&' if '?' in before else '?'}{query}{hash_mark}{fragment}"


def _outcome(bank: Bank, grant: sqlite3.Row, now: int) -> dict[str, str]:
    if grant["state"] == "revoked":
        return {"result": "unknown_interaction", "message": "unknown interaction"}
    if grant["finished"] or grant["state"] == "issued":
        return {"result": "invalid_interaction", "message": "invalid interaction"}
    if now >= grant["interact_until"]:
        return {"result": "invalid_interaction", "message": "interaction expired"}
    if grant["state"] == "rejected":
        return {"result": "grant_rejected"}
    if grant["state"] == "pending":
        return {"result": "grant_invalid"}
    return {"hash": _finish_hash(bank, grant), "interact_ref": grant["interact_ref"]}


def _finish_hash(bank: Bank, grant: sqlite3.Row) -> str:
    lines = (
        grant["client_nonce"] or "",
        grant["interact_nonce"],
        grant["interact_ref"],
        bank.auth_server(grant["tenant"]),
    )
    digest = hashlib.sha256("\n".join(lines).encode()).digest()
    # RFC 9635 wants URL-safe base64 without padding; Rafiki sends the standard alphabet padded.
    if bank.options.hash_encoding == "rafiki":
        return base64.b64encode(digest).decode()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _settled(grant: sqlite3.Row, now: int) -> tuple[str, str] | None:
    """Return title and sentence for a request that nobody can decide any more."""
    if grant["finished"] or grant["state"] in ("approved", "issued", "rejected"):
        return ("Already decided", "This request has been answered. Go back to the app.")
    if grant["state"] == "revoked":
        return ("Request withdrawn", "The app has withdrawn this request. Nothing was agreed.")
    if now >= grant["interact_until"]:
        return ("Request expired", "Nothing was agreed. Start again in the app.")
    return None


def _grant(bank: Bank, call: Call) -> sqlite3.Row | None:
    return _find(bank, call.args["id"], call.args["nonce"])


def _find(bank: Bank, interact_id: str, nonce: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = bank.db.execute(
        "SELECT * FROM grants WHERE interact_id = ?", (interact_id,)
    ).fetchone()
    if row is None or not hmac.compare_digest(nonce.encode(), row["redirect_nonce"].encode()):
        return None
    return row


def _visit(bank: Bank, call: Call, grant: sqlite3.Row) -> str | None:
    """Return what this browser's cookie holds, or None when it did not start here."""
    try:
        cookie = SimpleCookie(call.request.header("cookie") or "").get(_COOKIE)
    except CookieError:
        return None
    visit, _, seal = ("" if cookie is None else cookie.value).partition(".")
    expected = _seal(bank, grant, "visit", visit)
    return visit if visit and hmac.compare_digest(seal.encode(), expected.encode()) else None


def _seal(bank: Bank, grant: sqlite3.Row, purpose: str, text: str) -> str:
    # The nonce of the interaction is the key: it is secret and belongs to this grant alone.
    key = grant["interact_nonce"].encode()
    return hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def _redirect(location: str, *headers: tuple[str, str]) -> WireResponse:
    return WireResponse(
        status=302,
        headers=(("location", location), ("cache-control", "no-store"), *pages.SAFETY, *headers),
    )
