// An app's first minutes with the client of this repository; writes what it saw as JSON.
// node typescript_client.mjs '{"url": …, "ours": folder}'
import { join } from "node:path";

const { url, ours } = JSON.parse(process.argv[2]);
const { Faena, formatAmount, parseAmount, ...documents } = await import(join(ours, "index.js"));
const { CreateJobDocument, JobPageDocument, LogInDocument, MeDocument, SignUpDocument } = documents;

const USD = { assetCode: "USD", assetScale: 2 };
const ana = { email: "ana@example.com", password: "as long as a sentence" };
const input = { ...ana, displayName: "Ana", locale: "es" };
const job = { title: "Ten sentences", description: "Read aloud.", deliverables: ["TEXT"] };

const visitor = new Faena({ url, language: "es" });
const { token } = await visitor.change(SignUpDocument, input);
const faena = new Faena({ url, token });
const reward = parseAmount("12,5", USD);
const { job: made } = await faena.change(CreateJobDocument, { ...job, reward });
const page = await faena.run(JobPageDocument, { id: made.id });

const seen = {
  viewer: (await faena.run(MeDocument, {})).viewer,
  reward: formatAmount(page.job.reward, "en"),
  refused: await refusal(visitor.change(LogInDocument, { ...ana, password: "another one" })),
  missing: await refusal(faena.change(CreateJobDocument, { ...job, title: "", reward })),
  stranger: await refusal(new Faena({ url, token: "unknown" }).run(MeDocument, {})),
  silent: await refusal(new Faena({ url: "http://127.0.0.1:1/graphql" }).run(MeDocument, {})),
  amounts: ["0.05", "12", "9223372036854775807.99", "1.234", "-1", "1e3", ""].map((typed) => {
    const amount = parseAmount(typed, USD);
    return amount && [amount.value, formatAmount(amount, "en")];
  }),
  yen: formatAmount({ value: "1250", assetCode: "JPY", assetScale: 0 }, "en"),
};
console.log(JSON.stringify(seen));

/** What a request was refused with. */
async function refusal(request) {
  try {
    await request;
  } catch ({ name, code, message, ...reason }) {
    const paths = reason.refusals?.map(({ path }) => path);
    return { name, code, message, paths };
  }
  return null;
}
