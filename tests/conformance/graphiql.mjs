// Uses a GraphiQL page as a person would and prints what was seen as one JSON object:
// node graphiql.mjs '{"url": …, "executable": …, "screenshots": folder}'
import { join } from "node:path";

import { launch, run } from "./page.mjs";

const { url, executable, screenshots } = JSON.parse(process.argv[2]);
const seen = { errors: [], foreign: [], tabs: [], answers: {}, suggestions: [], workers: [] };

const browser = await launch(executable);
try {
  const page = await browser.newPage({ viewport: { width: 1600, height: 800 } });
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") seen.errors.push(message.text());
  });
  page.on("worker", (worker) => seen.workers.push(new URL(worker.url()).pathname));
  await page.route(
    (target) => target.origin !== new URL(url).origin,
    (route) => {
      seen.foreign.push(route.request().url());
      return route.abort();
    },
  );

  await page.goto(url);
  const tabs = page.locator(".graphiql-tab-button");
  await tabs.first().waitFor();
  seen.tabs = await tabs.allInnerTexts();
  for (const title of seen.tabs) seen.answers[title] = await run(page, title, screenshots);

  await page.reload();
  await tabs.first().waitFor();
  seen.tabsAfterReload = await tabs.allInnerTexts();
  seen.answerAfterReload = await run(page, seen.tabs[0], screenshots);
  seen.suggestions = await suggestions(page);
  seen.scrolledTo = await afterALongLine(page);
} catch (error) {
  seen.errors.push(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

/** How far to the right the editor is scrolled once a line longer than it has been typed. */
async function afterALongLine(page) {
  await page.locator(".graphiql-query-editor").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(`{ greeting } # ${"a long line ".repeat(40)}`);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(screenshots, "long line.png") });
  return page
    .locator(".graphiql-query-editor .lines-content")
    .evaluate((lines) => parseInt(lines.style.left || "0"));
}

/** Ask for completion inside an empty selection: the answers come from the language worker. */
async function suggestions(page) {
  await page.locator(".graphiql-query-editor").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("{ ");
  await page.keyboard.press("Control+Space");
  const labels = page.locator(".suggest-widget .label-name");
  await labels.first().waitFor();
  await page.screenshot({ path: join(screenshots, "suggestions.png") });
  return labels.allInnerTexts();
}
