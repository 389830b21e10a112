import {
  ApplyDocument,
  CancelJobDocument,
  CompleteJobDocument,
  JobPageDocument,
  type JobPageQuery,
  PublishJobDocument,
} from "faena-client";

import { JobFacts } from "../jobs";
import { Act, Field, Form, Heading, Money, Section, Trouble } from "../parts";
import { Link } from "../router";
import { useQuery, useSession, useWords } from "../session";
import { Applications } from "./applications";
import { Funding } from "./funding";
import { Work } from "./work";

export type Job = NonNullable<JobPageQuery["job"]>;

/** A job as its owner, its workers and visitors see it: by one query, and its `allowedActions`. */
export function JobPage({ id }: { id: string }) {
  const { say } = useWords();
  const { data, failure } = useQuery(JobPageDocument, { id });
  if (failure) return <Trouble reason={failure} />;
  if (!data) return <p role="status">{say.loading}</p>;
  if (!data.job) return <Heading title={say.missing}>{say.missing}</Heading>;
  const { job } = data;
  return (
    <>
      <div className="headline">
        <div>
          <Heading title={job.title}>{job.title}</Heading>
          <JobFacts job={job} />
        </div>
        <Money amount={job.reward} />
      </div>
      <p className="description">{job.description}</p>
      <Apply job={job} />
      <Applications job={job} />
      <Funding job={job} />
      <Work job={job} />
      <Owner job={job} />
    </>
  );
}

function Apply({ job }: { job: Job }) {
  const { faena, me, isKnown, changed } = useSession();
  const { say } = useWords();
  if (!isKnown && job.status === "RECRUITING") return <Link href="/enter">{say.enter}</Link>;
  if (!job.allowedActions.includes("APPLY")) return null;
  const apply = async (data: FormData) => {
    await faena.change(ApplyDocument, { jobId: job.id, note: String(data.get("note")) || null });
    changed();
  };
  return (
    <Section title={say.applyTitle}>
      {me?.viewer?.wallets.length ? (
        <Form label={say.applyTitle} onSend={apply} buttons={<button>{say.apply}</button>}>
          <Field label={say.note} name="note" rows={2} />
        </Form>
      ) : (
        <p>
          {say.walletFirst} <Link href="/wallet">{say.addWallet}</Link>
        </p>
      )}
    </Section>
  );
}

function Owner({ job }: { job: Job }) {
  const { faena, changed } = useSession();
  const { say } = useWords();
  const may = (action: Job["allowedActions"][number]) => job.allowedActions.includes(action);
  const input = { jobId: job.id };
  const cancel = async (data: FormData) => {
    await faena.change(CancelJobDocument, { ...input, reason: String(data.get("reason")) });
    changed();
  };
  return (
    <div className="owner">
      {may("PUBLISH") && (
        <Act label={say.publish} onAct={() => faena.change(PublishJobDocument, input).then(changed)} />
      )}
      {may("COMPLETE") && (
        <Act label={say.complete} onAct={() => faena.change(CompleteJobDocument, input).then(changed)} />
      )}
      {may("CANCEL") && (
        <details>
          <summary>{say.cancel}</summary>
          <Form label={say.cancel} onSend={cancel} buttons={<button>{say.cancel}</button>}>
            <Field label={say.reason} name="reason" input={{ required: true }} />
          </Form>
        </details>
      )}
    </div>
  );
}
