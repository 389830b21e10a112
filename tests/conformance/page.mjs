// Using GraphiQL as a person would.
import { join } from "node:path";

import { chromium } from "playwright-core";

const QUIET = ["--disable-quic", "--disable-background-networking", "--disable-component-update"];
const MOST_MILLISECONDS = 20_000;

export function launch(executable) {
  return chromium.launch({
    executablePath: executable,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", ...QUIET],
  });
}

/** Open a tab, press play, and return the first answer that does not change any more. */
export async function run(page, title, screenshots) {
  await open(page, title);
  const play = await press(page);
  const text = await settled(page);
  await page.screenshot({ path: join(screenshots, `${title}.png`) });
  if ((await play.getAttribute("aria-label"))?.startsWith("Stop")) await play.click();
  return text;
}

/** Open a tab and wait until its operation is in the editor. */
export async function open(page, title) {
  const query = page.locator(".graphiql-query-editor");
  // Before all editors are there, GraphiQL forgets clicks on its tabs and its play button.
  for (const editor of [query, answer(page), page.locator(".graphiql-editor-tool")]) {
    await editor.locator(".view-lines").first().waitFor({ state: "attached" });
  }
  await page.locator(".graphiql-tab-button", { hasText: title }).click();
  await query.locator(".view-line", { hasText: title }).first().waitFor();
}

/** Run what is in the editor; the button stops it as well. */
export async function press(page) {
  const play = page.locator(".graphiql-execute-button");
  await play.click();
  return play;
}

/** The answer once it has `text` in it. */
export async function answerWith(page, text) {
  await answer(page).getByText(text).first().waitFor();
  return shown(page);
}

async function settled(page) {
  const deadline = Date.now() + MOST_MILLISECONDS;
  let text = "";
  for (let quiet = 0; quiet < 5 && Date.now() < deadline; ) {
    await page.waitForTimeout(100);
    const now = await shown(page);
    quiet = now === text && now.includes("}") ? quiet + 1 : 0;
    text = now;
  }
  return text;
}

function answer(page) {
  return page.locator(".result-window");
}

async function shown(page) {
  return (await answer(page).innerText()).replaceAll("\u00a0", " ");
}
