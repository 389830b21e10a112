// The documentation's site as files in a browser: what it asks for, draws and finds.
// node site.mjs '{"index": file:// address, "executable": …}'
import { launch } from "./page.mjs";

const { index, executable } = JSON.parse(process.argv[2]);
const seen = { asked: [], errors: [], diagrams: 0, found: [] };

const browser = await launch(executable);
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);
  page.on("request", (request) => seen.asked.push(request.url()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  await page.goto(new URL("jobs.html", index).href);
  // Material draws into a closed shadow root, so only its size tells.
  await page.waitForFunction(
    () => [...document.querySelectorAll("div.mermaid")].filter((each) => each.offsetHeight > 100).length === 4,
  );
  seen.diagrams = await page.locator("div.mermaid").count();
  await page.goto(index);
  await page.locator("input.md-search__input").fill("acknowledgeDecision");
  await page.locator(".md-search-result__link").first().waitFor();
  seen.found = await page
    .locator(".md-search-result__link")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
} catch (error) {
  seen.errors.push(String(error));
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
