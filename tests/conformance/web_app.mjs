// The example app as two people use it: Ana at a desk, who has a job, and Beto with a phone, who does
// it and is paid. axe looks at every view. Writes what it saw as JSON.
// node web_app.mjs '{"url": …, "executable": …, "wallets": {"ana": …, "beto": …}, "screenshots": a folder or nothing}'
import axe from "axe-core";
import { join } from "node:path";

import { launch } from "./page.mjs";

const { url, executable, wallets, screenshots } = JSON.parse(process.argv[2]);
const PASSWORD = "as long as a sentence";
const DESK = { viewport: { width: 1280, height: 940 }, locale: "en-GB" };
const PHONE = { viewport: { width: 390, height: 844 }, locale: "es-MX", deviceScaleFactor: 1.5, hasTouch: true };
const seen = { errors: [], unfit: [], wide: [], views: 0 };

const browser = await launch(executable);
try {
  const ana = await arrive("ana", DESK);
  const beto = await arrive("beto", PHONE);

  await ana.getByRole("heading", { level: 1 }).waitFor();
  await look(ana, "start");
  await signUp(ana, ["I am new here", "Your name", "E-mail address", "Password", "Sign up"], "Ana");
  await addWallet(ana, ["Wallet address", "Add a wallet"], wallets.ana);
  await ana.getByRole("link", { name: "Post a job" }).click();
  await ana.getByLabel("Title").fill("Record ten sentences in Otomi");
  await ana.getByLabel("What is to be done").fill("Read them aloud, and write down how you would say them.");
  await ana.getByLabel("Reward for each worker").fill("12,345");
  await look(ana, "post");
  await ana.getByRole("button", { name: "Publish" }).click();
  seen.badAmount = await ana.getByRole("alert").filter({ hasText: /./ }).innerText();
  await ana.getByLabel("Reward for each worker").fill("12.50");
  await ana.getByLabel("Language of the work").fill("oto");
  await ana.keyboard.press("Enter");
  await ana.getByRole("heading", { name: "Applications" }).waitFor();
  const job = ana.url();

  await beto.getByLabel("Buscar trabajos").fill("Otomi");
  await beto.keyboard.press("Enter");
  await beto.getByRole("heading", { name: "ten sentences in Otomi" }).waitFor();
  await look(beto, "jobs");
  await signUp(beto, ["Soy nueva", "Tu nombre", "Correo electrónico", "Contraseña", "Crear cuenta"], "Beto");
  await addWallet(beto, ["Dirección de la billetera", "Añadir una billetera"], wallets.beto);
  await beto.goto(job);
  await beto.getByLabel("¿Por qué tú?").fill("Es mi lengua materna.");
  await look(beto, "apply");
  await beto.getByRole("button", { name: "Postularme" }).click();
  await beto.getByRole("button", { name: "Retirar" }).waitFor();
  // From here on each of them sees what the other does, without loading a page.
  await beto.evaluate(() => (window.neverLoadedAgain = true));

  await ana.getByRole("button", { name: "Select: Beto" }).click();
  await ana.getByRole("table").waitFor();
  seen.cost = await ana.getByRole("table").innerText();
  await look(ana, "cost");
  await beto.getByText("Elegida").first().waitFor();

  await toWallet(ana);
  await ana.locator("button[value=decline]").click();
  await ana.getByText("You said no at your wallet").waitFor();
  await toWallet(ana);
  await look(ana, "consent");
  await ana.locator("button[value=approve]").click();
  await ana.getByText("Your wallet has said yes.").waitFor();
  seen.returned = ana.url() === job;
  await ana.getByText("Pay is authorized").waitFor();
  await look(ana, "secured");
  await ana.evaluate(() => (window.neverLoadedAgain = true));

  await beto.getByText("Pago autorizado").first().waitFor();
  await beto.getByLabel("Texto").fill("Hats'i — buenos días.\nKwä — adiós.");
  await look(beto, "work");
  await beto.getByRole("button", { name: "Entregar" }).click();

  await ana.getByLabel("Accept for").fill("5.00");
  await ana.getByLabel("Comment").fill("Beautifully written. Five dollars for the first part.");
  await look(ana, "review");
  await ana.getByRole("button", { name: "Accept" }).click();

  const paid = beto.getByRole("article").filter({ hasText: "5.00 USD" }).getByText("Pagado");
  await paid.waitFor();
  const receipt = beto.getByRole("link", { name: /Recibo R-/ });
  seen.receipt = await receipt.getAttribute("href");
  seen.feed = await beto.getByRole("complementary").getByRole("listitem").allInnerTexts();
  await look(beto, "paid");

  await ana.getByLabel("Accept for").fill("7.50");
  await ana.getByRole("button", { name: "Accept" }).click();
  await ana.getByText("Paid out", { exact: true }).waitFor();
  await ana.getByText("Complete", { exact: true }).first().waitFor();
  await look(ana, "complete");
  await beto.getByText("Terminado").first().waitFor();
  seen.untouched = await Promise.all([ana, beto].map((page) => page.evaluate(() => window.neverLoadedAgain)));
  await beto.getByRole("link", { name: "Mi billetera" }).click();
  await beto.getByText("12.50 USD").first().waitFor();
  await look(beto, "wallet");
  await walkByKeyboard(beto);
  await beto.getByRole("button", { name: "Salir" }).click();
  await beto.getByRole("button", { name: "Entrar" }).waitFor();
  await look(beto, "log-in");
} catch (error) {
  seen.errors.push(String(error.stack ?? error));
  for (const page of browser.contexts().flatMap((each) => each.pages())) {
    seen.errors.push(`${page.url()}: ${await page.locator("body").innerText()}`);
  }
  process.exitCode = 1;
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

async function arrive(name, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  context.on("weberror", (error) => seen.errors.push(`${name}: ${error.error()}`));
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  await page.goto(url);
  return page;
}

async function signUp(page, [newHere, name, email, password, button], displayName) {
  await page.goto(`${url}/enter`);
  await page.getByRole("button", { name: newHere }).click();
  await page.getByLabel(name).fill(displayName);
  await page.getByLabel(email).fill(`${displayName.toLowerCase()}@example.com`);
  await page.getByLabel(password).fill(PASSWORD);
  await look(page, `sign-up-${displayName}`);
  await page.getByRole("button", { name: button }).click();
}

async function addWallet(page, [address, button], wallet) {
  await page.getByLabel(address).fill(wallet);
  await page.getByRole("button", { name: button }).click();
  await page.getByText(wallet).waitFor();
}

async function toWallet(page) {
  await page.getByRole("button", { name: "Approve at my wallet" }).click();
  await page.locator("button[value=approve]").waitFor();
}

/** From the top, Tab meets the way past the navigation first, and every stop can be seen. */
async function walkByKeyboard(page) {
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.evaluate(() => document.activeElement.blur());
  seen.stops = [];
  for (let stop = 0; stop < 6; stop += 1) {
    await page.keyboard.press("Tab");
    seen.stops.push(
      await page.evaluate(() => {
        const { width, height } = document.activeElement.getBoundingClientRect();
        return { name: document.activeElement.textContent, visible: width > 1 && height > 1 };
      }),
    );
  }
}

/** Keep a picture if one is wished, and note what axe finds and whether the page is wider than its window. */
async function look(page, view) {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${view}.png`) });
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const { id, help, nodes } of violations) {
    seen.unfit.push({ view, id, help, where: nodes.map((node) => node.html) });
  }
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) seen.wide.push(view);
  seen.views += 1;
}
