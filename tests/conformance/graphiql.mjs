// Uses a GraphiQL page as a person would and prints what was seen as one JSON object:
// node graphiql.mjs '{"url": …, "executable": …, "screenshots": folder}'
import { join } from "node:path";

import { chromium } from "playwright-core";

const { url, executable, screenshots } = JSON.parse(process.argv[2]);
const QUIET = ["--disable-quic", "--disable-background-networking", "--disable-component-update"];
const seen = { errors: [], foreign: [], tabs: [], answers: {}, suggestions: [], workers: [] };

const browser = await chromium.launch({
  executablePath: executable,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", ...QUIET],
});
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
  for (const title of seen.tabs) seen.answers[title] = await run(page, title);

  await page.reload();
  await tabs.first().waitFor();
  seen.tabsAfterReload = await tabs.allInnerTexts();
  seen.answerAfterReload = await run(page, seen.tabs[0]);
  seen.suggestions = await suggestions(page);
} catch (error) {
  seen.errors.push(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

/** Open a tab, press play, and return the first answer that does not change any more. */
async function run(page, title) {
  const query = page.locator(".graphiql-query-editor");
  const answer = page.locator(".result-window");
  const play = page.locator(".graphiql-execute-button");
  // Before all editors are there, GraphiQL forgets clicks on its tabs and its play button.
  for (const editor of [query, answer, page.locator(".graphiql-editor-tool")]) {
    await editor.locator(".view-lines").first().waitFor({ state: "attached" });
  }
  await page.locator(".graphiql-tab-button", { hasText: title }).click();
  await query.locator(".view-line", { hasText: title }).first().waitFor();
  await play.click();
  const deadline = Date.now() + 20_000;
  let text = "";
  for (let quiet = 0; quiet < 5 && Date.now() < deadline; ) {
    await page.waitForTimeout(100);
    const now = (await answer.innerText()).replaceAll("\u00a0", " ");
    quiet = now === text && now.includes("}") ? quiet + 1 : 0;
    text = now;
  }
  await page.screenshot({ path: join(screenshots, `${title}.png`) });
  if ((await play.getAttribute("aria-label"))?.startsWith("Stop")) await play.click();
  return text;
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
