// Makes every call of the official client, with response validation on, against a sandbox
// wallet, and prints one JSON line per call: {"call", "ok", "error"?}.
// node official_client.mjs '<the line that python -m sandbox_wallet prints>'
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { generateKey, generateJwk } from "@interledger/http-signature-utils";
import {
  createAuthenticatedClient,
  createUnauthenticatedClient,
  isFinalizedGrantWithAccessToken,
  isPendingGrant,
  OpenPaymentsClientError,
} from "@interledger/open-payments";

const { wallets, clients, control } = JSON.parse(process.argv[2]);
const { alice, carmen } = wallets;
const identity = {
  walletAddressUrl: clients.platform.walletAddress,
  keyId: clients.platform.keyId,
  privateKey: clients.platform.privateKeyPath,
  logLevel: "silent",
};
const INVALID_CLIENT = { status: 401, code: "invalid_client" };
const REQUEST_DENIED = { status: 401, code: "request_denied" };
const FINISH_URI = "http://127.0.0.1:9/finish?order=42";

const client = await createAuthenticatedClient(identity);
const visitor = await createUnauthenticatedClient({ logLevel: "silent" });
const viaHttp = await createAuthenticatedClient({ ...identity, useHttp: true });

/** Report one call; a failure leaves the calls that need its result to fail as well. */
async function call(name, make) {
  const line = { call: name, ok: true };
  let result;
  try {
    result = await make();
  } catch (error) {
    const { status, code, description, validationErrors } = error;
    Object.assign(line, { ok: false, error: String(error) });
    if (error instanceof OpenPaymentsClientError) {
      Object.assign(line, { status, code, description, validationErrors });
    }
  }
  console.log(JSON.stringify(line));
  return result;
}

/** Report a call that must be refused with this status and code. */
async function refusal(name, { status, code }, make) {
  await call(name, async () => {
    const error = await make().then(
      () => assert.fail("it was accepted"),
      (refused) => refused,
    );
    assert.ok(error instanceof OpenPaymentsClientError, String(error));
    assert.equal(error.status, status, error.description);
    if (code) assert.equal(error.code, code, error.description);
  });
}

async function decide(grant, decision) {
  const answer = await fetch(`${control}/decide`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ redirect: grant.interact.redirect, decision }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).location;
}

/** Where the browser went, checked as the documentation of the specification does it. */
function interactRef(location, { nonce, finish, authServer }) {
  const { searchParams } = new URL(location);
  const base = [nonce, finish, searchParams.get("interact_ref"), authServer].join("\n");
  const hash = createHash("sha256").update(base).digest("base64");
  assert.equal(searchParams.get("hash"), hash);
  assert.equal(searchParams.get("order"), "42");
  return searchParams.get("interact_ref");
}

function finishing(nonce) {
  return { start: ["redirect"], finish: { method: "redirect", uri: FINISH_URI, nonce } };
}

function continuing(grant) {
  return { url: grant.continue.uri, accessToken: grant.continue.access_token.value };
}

async function waitFor(grant) {
  await sleep(1000 * (grant.continue.wait ?? 0));
  return grant;
}

const sender = await call("walletAddress.get", () =>
  client.walletAddress.get({ url: alice.walletAddress }),
);
const receiver = await call("walletAddress.get, unauthenticated", () =>
  visitor.walletAddress.get({ url: carmen.walletAddress }),
);
await call("walletAddress.getKeys", async () => {
  const { keys } = await client.walletAddress.getKeys({ url: clients.platform.walletAddress });
  assert.ok(keys.some(({ kid }) => kid === clients.platform.keyId));
});
await call("walletAddress.get, useHttp", () =>
  viaHttp.walletAddress.get({ url: alice.walletAddress.replace("http:", "https:") }),
);

// Receiving: a grant without interaction, then the incoming payments.
const receiving = {
  access_token: {
    access: [
      {
        type: "incoming-payment",
        actions: ["create", "read", "list", "complete"],
        identifier: receiver.id,
      },
    ],
  },
};
const receiveGrant = await call("grant.request, incoming-payment", async () => {
  const grant = await client.grant.request({ url: receiver.authServer }, receiving);
  assert.ok(isFinalizedGrantWithAccessToken(grant));
  return grant;
});
const receiverSide = () => ({
  url: receiver.resourceServer,
  accessToken: receiveGrant.access_token.value,
});
const wanted = () => ({
  value: "1000",
  assetCode: receiver.assetCode,
  assetScale: receiver.assetScale,
});
const incoming = await call("incomingPayment.create, fixed amount", async () => {
  const payment = await client.incomingPayment.create(receiverSide(), {
    walletAddress: receiver.id,
    incomingAmount: wanted(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    metadata: { description: "Diseño ñ €", line: 7 },
  });
  assert.deepEqual(payment.metadata, { description: "Diseño ñ €", line: 7 });
  return payment;
});
const openIncoming = await call("incomingPayment.create, open amount", () =>
  client.incomingPayment.create(receiverSide(), { walletAddress: receiver.id }),
);
await call("incomingPayment.get", () =>
  client.incomingPayment.get({ ...receiverSide(), url: incoming.id }),
);
await call("incomingPayment.getPublic", () =>
  client.incomingPayment.getPublic({ url: incoming.id }),
);
await call("incomingPayment.get, unauthenticated", async () => {
  const payment = await visitor.incomingPayment.get({ url: incoming.id });
  assert.equal(payment.authServer, receiver.authServer);
});
await call("incomingPayment.list, forward", () =>
  walk((page) =>
    client.incomingPayment.list({ ...receiverSide(), walletAddress: receiver.id }, page),
  ),
);
await call("incomingPayment.list, backward", () =>
  walkBack((page) =>
    client.incomingPayment.list({ ...receiverSide(), walletAddress: receiver.id }, page),
  ),
);

// Asking for the price.
const quoteGrant = await call("grant.request, quote", async () => {
  const grant = await client.grant.request(
    { url: sender.authServer },
    { access_token: { access: [{ type: "quote", actions: ["create", "read"] }] } },
  );
  assert.ok(isFinalizedGrantWithAccessToken(grant));
  return grant;
});
const pricing = () => ({ url: sender.resourceServer, accessToken: quoteGrant.access_token.value });
const quoting = () => ({ walletAddress: sender.id, method: "ilp" });
const quote = await call("quote.create, receiver only", async () => {
  const made = await client.quote.create(pricing(), { ...quoting(), receiver: incoming.id });
  assert.deepEqual(made.receiveAmount, wanted());
  return made;
});
await call("quote.create, receiveAmount", () =>
  client.quote.create(pricing(), {
    ...quoting(),
    receiver: openIncoming.id,
    receiveAmount: wanted(),
  }),
);
await call("quote.create, debitAmount", () =>
  client.quote.create(pricing(), {
    ...quoting(),
    receiver: openIncoming.id,
    debitAmount: debit("250"),
  }),
);
await call("quote.get", async () => {
  assert.deepEqual(await client.quote.get({ ...pricing(), url: quote.id }), quote);
});

// Consent by redirect, then paying.
function debit(value) {
  return { value, assetCode: sender.assetCode, assetScale: sender.assetScale };
}
function spending() {
  return {
    type: "outgoing-payment",
    actions: ["create", "read", "list"],
    identifier: sender.id,
    limits: { debitAmount: debit("5000") },
  };
}
const nonce = randomBytes(16).toString("hex");
const pending = await call("grant.request, outgoing-payment with a finish", async () => {
  const grant = await client.grant.request(
    { url: sender.authServer },
    { access_token: { access: [spending()] }, interact: finishing(nonce) },
  );
  assert.ok(isPendingGrant(grant));
  return grant;
});
let payGrant = await call("grant.continue, interact_ref", async () => {
  const location = await decide(await waitFor(pending), "accept");
  const { finish } = pending.interact;
  const ref = interactRef(location, { nonce, finish, authServer: sender.authServer });
  const grant = await client.grant.continue(continuing(pending), { interact_ref: ref });
  assert.ok(isFinalizedGrantWithAccessToken(grant));
  assert.deepEqual(grant.access_token.access[0].limits, spending().limits);
  return grant;
});
const senderSide = () => ({
  url: sender.resourceServer,
  accessToken: payGrant.access_token.value,
});
const outgoing = await call("outgoingPayment.create, quoteId", () =>
  client.outgoingPayment.create(senderSide(), {
    walletAddress: sender.id,
    quoteId: quote.id,
    metadata: { order: "42" },
  }),
);
await call("outgoingPayment.create, incomingPayment and debitAmount", () =>
  client.outgoingPayment.create(senderSide(), {
    walletAddress: sender.id,
    incomingPayment: openIncoming.id,
    debitAmount: debit("300"),
  }),
);
await call("outgoingPayment.get", async () => {
  const payment = await client.outgoingPayment.get({ ...senderSide(), url: outgoing.id });
  assert.equal(payment.failed, false);
  assert.deepEqual(payment.sentAmount, quote.debitAmount);
});
await call("incomingPayment.get, paid", async () => {
  const payment = await client.incomingPayment.get({ ...receiverSide(), url: incoming.id });
  assert.deepEqual(payment.receivedAmount, wanted());
});
await call("outgoingPayment.list, forward", () =>
  walk((page) =>
    client.outgoingPayment.list({ ...senderSide(), walletAddress: sender.id }, page),
  ),
);
await call("outgoingPayment.list, backward", () =>
  walkBack((page) =>
    client.outgoingPayment.list({ ...senderSide(), walletAddress: sender.id }, page),
  ),
);
await call("outgoingPayment.getGrantSpentAmounts", async () => {
  const spent = await client.outgoingPayment.getGrantSpentAmounts(senderSide());
  const total = BigInt(quote.debitAmount.value) + 300n;
  assert.equal(spent.spentDebitAmount.value, String(total));
});
await call("incomingPayment.complete", async () => {
  const payment = await client.incomingPayment.complete({
    ...receiverSide(),
    url: openIncoming.id,
  });
  assert.equal(payment.completed, true);
});

// Keeping and giving up what was granted.
const tokenAt = (grant) => ({
  url: grant.access_token.manage,
  accessToken: grant.access_token.value,
});
const before = payGrant;
payGrant = await call("token.rotate", async () => {
  const rotated = await client.token.rotate(tokenAt(before));
  assert.notEqual(rotated.access_token.value, before.access_token.value);
  assert.notEqual(rotated.access_token.manage, before.access_token.manage);
  return { ...before, ...rotated };
});
await call("outgoingPayment.get, rotated token", () =>
  client.outgoingPayment.get({ ...senderSide(), url: outgoing.id }),
);
await call("token.revoke", () => client.token.revoke(tokenAt(payGrant)));
await call("grant.cancel", () => client.grant.cancel(continuing(before)));

// The other ways to a grant.
const polled = await call("grant.request, outgoing-payment without a finish", async () => {
  const grant = await client.grant.request(
    { url: sender.authServer },
    { access_token: { access: [spending()] }, interact: { start: ["redirect"] } },
  );
  assert.ok(isPendingGrant(grant));
  return grant;
});
const stillPending = await call("grant.continue, still pending", async () => {
  const grant = await client.grant.continue(continuing(await waitFor(polled)));
  assert.equal(grant.access_token, undefined);
  return grant;
});
await call("grant.continue, polled to its end", async () => {
  await decide(polled, "accept");
  await waitFor(stillPending);
  const grant = await client.grant.continue(continuing(stillPending));
  assert.ok(isFinalizedGrantWithAccessToken(grant));
});
const owner = await call("grant.request, subject", () =>
  client.grant.request(
    { url: sender.authServer },
    {
      subject: { sub_ids: [{ id: sender.id, format: "uri" }] },
      interact: finishing(nonce),
    },
  ),
);
await call("grant.continue, subject", async () => {
  const location = await decide(await waitFor(owner), "accept");
  const { finish } = owner.interact;
  const ref = interactRef(location, { nonce, finish, authServer: sender.authServer });
  const grant = await client.grant.continue(continuing(owner), { interact_ref: ref });
  assert.deepEqual(grant.subject, { sub_ids: [{ id: sender.id, format: "uri" }] });
});
const ownKey = generateKey();
const jwk = generateJwk({ privateKey: ownKey, keyId: "a-key-of-one-grant" });
const keyOnly = await createAuthenticatedClient({
  ...identity,
  privateKey: ownKey,
  keyId: jwk.kid,
});
const jwkGrant = await call("grant.request, client by JWK", () =>
  keyOnly.grant.request({ url: receiver.authServer }, receiving, { jwk }),
);
await call("incomingPayment.create, client by JWK", () =>
  keyOnly.incomingPayment.create(
    { ...receiverSide(), accessToken: jwkGrant.access_token.value },
    { walletAddress: receiver.id },
  ),
);

// Refusals, as the client hands them on.
await refusal("refused: an unknown wallet address", { status: 404 }, () =>
  client.walletAddress.get({ url: `${alice.walletAddress}-is-nobody` }),
);
await refusal("refused: a DID document, which no wallet has", { status: 404 }, () =>
  client.walletAddress.getDIDDocument({ url: alice.walletAddress }),
);
await refusal("refused: another key under our key id", INVALID_CLIENT, async () => {
  const stranger = await createAuthenticatedClient({ ...identity, privateKey: generateKey() });
  return stranger.grant.request({ url: receiver.authServer }, receiving);
});
await refusal("refused: a rotated token", { status: 403 }, () =>
  client.outgoingPayment.get({
    url: outgoing.id,
    accessToken: before.access_token.value,
  }),
);
await refusal("refused: a payment completed twice", { status: 409 }, () =>
  client.incomingPayment.complete({ ...receiverSide(), url: openIncoming.id }),
);
await refusal("refused: a grant that was declined", REQUEST_DENIED, async () => {
  const grant = await client.grant.request(
    { url: sender.authServer },
    { access_token: { access: [spending()] }, interact: { start: ["redirect"] } },
  );
  await decide(await waitFor(grant), "reject");
  return client.grant.continue(continuing(grant));
});

/** Read two pages forward, of one item each. */
async function walk(list) {
  const first = await list({ first: 1 });
  assert.equal(first.result.length, 1);
  assert.equal(first.pagination.hasNextPage, true);
  const second = await list({ first: 1, cursor: first.pagination.endCursor });
  assert.equal(second.pagination.hasPreviousPage, true);
  assert.notEqual(second.result[0].id, first.result[0].id);
}

/** From the second item, read the page before it. */
async function walkBack(list) {
  const both = await list({ first: 2 });
  const back = await list({ last: 1, cursor: both.pagination.endCursor });
  assert.deepEqual(back.result[0].id, both.result[0].id);
}
