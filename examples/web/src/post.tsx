import { CreateJobDocument, parseAmount, PublishJobDocument } from "faena-client";

import { Field, Form, Heading } from "./parts";
import { go, Link, pathOfJob } from "./router";
import { useSession, useWords } from "./session";

/** A job for written work, paid in the asset of the viewer's own wallet. */
export function PostPage() {
  const { faena, me } = useSession();
  const { say } = useWords();
  const wallet = me?.viewer?.wallets.find(({ isDefault }) => isDefault);
  const send = async (data: FormData) => {
    const said = (name: string) => String(data.get(name));
    const reward = wallet && parseAmount(said("reward"), wallet);
    if (!reward) throw new Error(say.badAmount);
    const { job } = await faena.change(CreateJobDocument, {
      ...{ title: said("title"), description: said("description"), reward },
      deliverables: ["TEXT"],
      languageTag: said("languageTag") || null,
      workersNeeded: Number(said("workersNeeded")),
    });
    if (!job) return;
    await faena.change(PublishJobDocument, { jobId: job.id });
    go(pathOfJob(job.id));
  };
  return (
    <div className="card narrow">
      <Heading title={say.post}>{say.post}</Heading>
      {me && !wallet ? (
        <p>
          {say.walletFirst} <Link href="/wallet">{say.addWallet}</Link>
        </p>
      ) : (
        <Form label={say.post} onSend={send} buttons={<button>{say.publish}</button>}>
          <Field label={say.title} name="title" input={{ required: true }} />
          <Field label={say.description} name="description" rows={5} input={{ required: true }} />
          <div className="pair">
            <Field
              label={say.reward}
              name="reward"
              suffix={wallet?.assetCode}
              input={{ required: true, inputMode: "decimal" }}
            />
            <Field
              label={say.workers}
              name="workersNeeded"
              input={{ type: "number", min: 1, max: 100, defaultValue: 1, required: true }}
            />
          </div>
          <Field label={say.language} name="languageTag" hint={say.languageHint} />
        </Form>
      )}
    </div>
  );
}
