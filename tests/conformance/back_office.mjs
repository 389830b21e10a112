// The back office as an operator uses it: log in with both factors, go where asked, look.
//
// Reads one JSON object from its first argument and prints one. Every visit says which page, how
// wide, and where its picture goes; `fill` and `press` come before the picture.
import { createHmac } from "node:crypto";

import { launch } from "./page.mjs";

const { executable, base, email, password, key, visits } = JSON.parse(process.argv[2]);
const browser = await launch(executable);
const context = await browser.newContext({ deviceScaleFactor: 1, colorScheme: "light" });
// The admin's list of pages takes room that the page itself needs.
await context.addInitScript(() => localStorage.setItem("django.admin.navSidebarIsOpen", "false"));
const page = await context.newPage();
const errors = [];
const seen = [];
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(String(error)));
page.on("response", (answer) => answer.status() >= 400 && errors.push(`${answer.status()} ${answer.url()}`));

/** RFC 6238 with the key as an authenticator app takes it. */
function code(typed) {
  let bits = "";
  for (const letter of typed.replaceAll(" ", "")) {
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  }
  const bytes = bits.match(/.{8}/g).map((byte) => parseInt(byte, 2));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", Buffer.from(bytes)).update(step).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function logIn() {
  await page.goto(`${base}/admin/`);
  await page.fill("#id_username", email);
  await page.fill("#id_password", password);
  await page.click("input[type=submit]");
  if (page.url().includes("/second-factor/")) {
    // Its address is there before the page is, and on a busy machine the key only comes with that.
    await page.waitForLoadState();
    const shown = page.locator(".bo-key");
    const typed = (await shown.count()) ? await shown.innerText() : key;
    await page.fill("#id_code", code(typed));
    await page.click("#login-form input[type=submit]");
    const kept = page.locator("p.submit-row a");
    if (await kept.count()) await kept.click();
    return typed;
  }
  return key;
}

async function picture({ width = 1280, height = 900, png, whole, see }) {
  await page.setViewportSize({ width, height });
  if (see) await page.locator(see).last().scrollIntoViewIfNeeded();
  await page.waitForTimeout(150);
  if (png) await page.screenshot({ path: png, fullPage: Boolean(whole) });
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

let typed = null;
try {
  typed = await logIn();
  for (const visit of visits) {
    if (visit.path) await page.goto(base + visit.path);
    if (visit.follow) await page.locator(visit.follow).first().click();
    for (const [field, value] of Object.entries(visit.fill ?? {})) {
      const input = page.locator(field).first();
      if (value === true) await input.check();
      else await input.fill(value);
    }
    if (visit.press) await page.locator(visit.press).first().click();
    await page.waitForLoadState();
    const overflow = await picture(visit);
    seen.push({ url: page.url(), overflow, text: await page.locator("#container").innerText() });
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify({ key: typed, seen, errors }));
