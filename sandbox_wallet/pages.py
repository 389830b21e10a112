"""The pages people see: consent, messages and the index. Plain HTML, nothing loaded from afar."""

import json
import sqlite3
from html import escape

from sandbox_wallet.access import limits_of
from sandbox_wallet.bank import Bank, Wallet
from sandbox_wallet.clock import to_datetime
from sandbox_wallet.intervals import Duration, Interval
from sandbox_wallet.money import Amount, for_people
from sandbox_wallet.style import STYLE
from sandbox_wallet.wire import Json, WireResponse

SAFETY = (
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


def _page(status: int, title: str, content: str) -> WireResponse:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{content}</body></html>"
    )
    headers = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
    return WireResponse(status=status, headers=(*headers, *SAFETY), body=html.encode())


def message(status: int, title: str, sentence: str) -> WireResponse:
    """Answer with a page that says one thing."""
    content = (
        '<main class="card message"><p class="brand">Sandbox wallet</p>'
        f"<h1>{escape(title)}</h1><p>{escape(sentence)}</p></main>"
    )
    return _page(status, title, content)


def index(bank: Bank) -> WireResponse:
    """Answer with the list of wallets and what they hold."""
    rows = "".join(
        f"<li><div><strong>{escape(wallet.public_name or wallet.name)}</strong>"
        f"<code>{escape(wallet.url)}</code></div>"
        f'<span class="money">{_holdings(bank, wallet)}</span></li>'
        for wallet in bank.wallets()
    )
    content = (
        '<main class="card wide"><p class="brand">Sandbox wallet</p><h1>Wallets</h1>'
        "<p>An Open Payments wallet for development. The money is not real.</p>"
        f'<ul class="wallets">{rows}</ul></main>'
    )
    return _page(200, "Sandbox wallet", content)


def consent(bank: Bank, grant: sqlite3.Row, *, csrf: str) -> WireResponse:
    """Answer with the page that asks a person to approve or decline a grant."""
    items = json.loads(grant["access"])
    subject = None if grant["subject"] is None else json.loads(grant["subject"])
    client = escape(grant["client_name"])
    sections = "".join(_item(bank, item) for item in items)
    if subject is not None:
        sections += _subject(subject["sub_ids"][0]["id"])
    action = f"/consent/{escape(grant['interact_id'])}/{escape(grant['redirect_nonce'])}"
    content = (
        '<main class="card"><p class="brand">Sandbox wallet</p>'
        f"<h1>{_headline(items, client)}</h1>"
        f'<p class="origin"><span>Requested by</span> <code>{escape(grant["client"])}</code></p>'
        f"{sections}"
        f'<form method="post" action="{action}">'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}">'
        '<button class="approve" name="decision" value="approve">Approve</button>'
        '<button class="decline" name="decision" value="decline">Decline</button></form>'
        '<p class="small">This is a sandbox: the money is not real.</p></main>'
    )
    return _page(200, f"{grant['client_name']} asks for your permission", content)


def _headline(items: list[Json], client: str) -> str:
    if any(item["type"] == "outgoing-payment" and "create" in item["actions"] for item in items):
        return f"<em>{client}</em> wants to make payments from your account"
    if items:
        return f"<em>{client}</em> wants to see your account"
    return f"<em>{client}</em> wants to know that this wallet is yours"


def _item(bank: Bank, item: Json) -> str:
    wallet = bank.wallet_at(item.get("identifier"))
    if item["type"] != "outgoing-payment":
        what = "quotes" if item["type"] == "quote" else "incoming payments"
        where = "" if wallet is None else f" of {_account(bank, wallet)}"
        return f"<section><dl>{_row('Also', f'{_verbs(item)} {what}{where}')}</dl></section>"
    assert wallet is not None
    rows: list[str] = []
    notes: list[str] = []
    if "create" in item["actions"]:
        rows, notes = _payment_rows(bank, item)
    rows.append(_row("From account", _account(bank, wallet)))
    if not {"create"} >= set(item["actions"]):
        sees_all = any(action.endswith("-all") for action in item["actions"])
        which = "all payments" if sees_all else "the payments it made"
        rows.append(_row("It can also see", f"{which} from this account"))
    warnings = "".join(f'<p class="warning" role="note">{note}</p>' for note in notes)
    return f"<section><dl>{''.join(rows)}</dl>{warnings}</section>"


def _payment_rows(bank: Bank, item: Json) -> tuple[list[str], list[str]]:
    limits = limits_of(item)
    rows: list[str] = []
    notes: list[str] = []
    if (amount := limits.debit or limits.receive) is not None:
        what = "At most" if limits.debit is not None else "Recipients get at most"
        if limits.interval is not None and limits.interval.repeats != 0:
            what += ", each period"
        rows.append(_row(what, f'<span class="amount">{_amount(amount)}</span>'))
    else:
        notes.append("<strong>No upper limit.</strong> It could spend all that you have.")
    if limits.interval is not None:
        rows.append(_row("How often", _interval(limits.interval)))
    if limits.receiver is None:
        rows.append(_row("Paid to", "<strong>any recipient</strong>"))
        notes.append(
            "<strong>Any recipient.</strong> The app chooses whom to pay. "
            "Approve only if you trust it with that."
        )
    else:
        rows.append(_row("Paid to", _recipient(bank, limits.receiver)))
    return rows, notes


def _recipient(bank: Bank, receiver: str) -> str:
    shown = f"<code>{escape(receiver)}</code>"
    resource_id = bank.resource_id(receiver, "incoming-payments")
    row = bank.db.execute("SELECT wallet FROM incoming WHERE id = ?", (resource_id,)).fetchone()
    wallet = None if row is None else bank.wallet(row["wallet"])
    if wallet is None:
        return shown
    name = escape(wallet.public_name or wallet.name)
    return f"<strong>{name}</strong> <code>{escape(wallet.url)}</code>"


def _account(bank: Bank, wallet: Wallet) -> str:
    name = escape(wallet.public_name or wallet.name)
    money = _holdings(bank, wallet)
    return f"<strong>{name}</strong> <span>holds {money}</span> <code>{escape(wallet.url)}</code>"


def _subject(url: str) -> str:
    rows = _row("Wallet address", f"<code>{escape(url)}</code>")
    note = "It learns that this address is yours. It cannot move any money with that."
    return f'<section><dl>{rows}</dl><p class="note">{note}</p></section>'


def _verbs(item: Json) -> str:
    words = dict.fromkeys(action.partition("-")[0] for action in item["actions"])
    return escape(", ".join(words))


def _interval(interval: Interval) -> str:
    start = to_datetime(interval.start).strftime("%-d %B %Y, %H:%M UTC")
    if interval.repeats == 0:
        # People know days, and would have to count them.
        day, _, _ = start.partition(",")
        end = to_datetime(interval.duration.after(interval.start))
        return f"in total, from {day} until {end.strftime('%-d %B %Y, %H:%M UTC')}"
    each = _length(interval.duration).removeprefix("1 ")
    often = "" if interval.repeats is None else f", {interval.repeats + 1} times"
    return f"every {each}{often}, starting {start}"


def _length(duration: Duration) -> str:
    parts = []
    years, months = divmod(duration.months, 12)
    days, rest = divmod(duration.seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    names = ("year", "month", "day", "hour", "minute", "second")
    for count, name in zip((years, months, days, hours, minutes, seconds), names, strict=True):
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " and ".join(parts)


def _amount(amount: Amount) -> str:
    return f"{escape(amount.for_people())} <small>{escape(amount.asset.code)}</small>"


def _row(term: str, definition: str) -> str:
    return f"<div><dt>{term}</dt><dd>{definition}</dd></div>"


def _holdings(bank: Bank, wallet: Wallet) -> str:
    return escape(for_people(bank.ledger.balance(wallet.account), wallet.asset))
