// The first five minutes: GraphiQL's tabs from left to right, with the one id that has to be
// copied, and the consent at the wallet in another tab of the same browser.
// node newcomer.mjs '{"url": …, "executable": …, "screenshots": folder}'
import { join } from "node:path";

import { answerWith, launch, open, press, run } from "./page.mjs";

const { url, executable, screenshots } = JSON.parse(process.argv[2]);
const seen = { errors: [], tabs: [], answers: {}, returned: "" };

const browser = await launch(executable);
try {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
  context.setDefaultTimeout(30_000);
  context.on("weberror", (error) => seen.errors.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(url);
  const tabs = page.locator(".graphiql-tab-button");
  await tabs.first().waitFor();
  seen.tabs = await tabs.allInnerTexts();

  for (const title of seen.tabs) {
    if (title !== "Watch") seen.answers[title] = await run(page, title, screenshots);
    else await pay(page, textOf("id", seen.answers.FundJob));
  }
  seen.answers.JobPage = await run(page, "JobPage", screenshots);
} catch (error) {
  seen.errors.push(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

/** Watch the payment, approve it at the wallet, and come back to see it completed. */
async function pay(page, paymentId) {
  await open(page, "Watch");
  await page.getByText("PAYMENT_ID").last().dblclick();
  // As copied by a double click, which leaves the padding behind.
  await page.keyboard.insertText(paymentId.replace(/=+$/, ""));
  await press(page);
  const asked = await answerWith(page, "/op/start/");
  await page.screenshot({ path: join(screenshots, "asked.png") });

  const wallet = await page.context().newPage();
  await wallet.goto(textOf("redirectUrl", asked));
  await wallet.screenshot({ path: join(screenshots, "consent.png") });
  await wallet.locator("button[value=approve]").click();
  await wallet.waitForURL(/grantStatus=/);
  seen.returned = await wallet.locator("main").innerText();
  await wallet.close();

  seen.answers.Watch = await answerWith(page, "COMPLETED");
  await page.screenshot({ path: join(screenshots, "Watch.png") });
}

/** The first value of a field in an answer whose long lines GraphiQL has wrapped. */
function textOf(field, answer) {
  return new RegExp(`"${field}":\\s*"([^"]+)"`).exec(answer)[1].replaceAll(/\s/g, "");
}
