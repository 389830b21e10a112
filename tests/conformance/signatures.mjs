// Signs and verifies with the official package, one JSON document a line in and out:
//   {"sign": {method, url, headers, body?}, "pem": …, "keyId": …}       → {"headers": {…}}
//   {"verify": {method, url, headers, body?}, "jwk": …, "asRafiki": …}  → {"accepted": …}
// `asRafiki` hands over the body as Rafiki does: parsed, and written again by JSON.stringify.
import { createPrivateKey } from "node:crypto";
import { createInterface } from "node:readline";

import {
  createHeaders,
  validateSignature,
  validateSignatureHeaders,
} from "@interledger/http-signature-utils";

async function sign({ sign: request, pem, keyId }) {
  const headers = await createHeaders({ request, privateKey: createPrivateKey(pem), keyId });
  return { headers };
}

async function verify({ verify: request, jwk, asRafiki }) {
  const body =
    asRafiki && request.body ? JSON.stringify(JSON.parse(request.body)) : request.body;
  const seen = { ...request, body };
  const accepted = validateSignatureHeaders(seen) && (await validateSignature(jwk, seen));
  return { accepted };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await ("sign" in question ? sign(question) : verify(question));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
