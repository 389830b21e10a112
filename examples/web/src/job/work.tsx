import {
  AcknowledgeDecisionDocument,
  formatAmount,
  parseAmount,
  type PaymentPartsFragment,
  type ReviewDecision,
  ReviewDocument,
  SaveWorkDocument,
  type SubmissionPartsFragment,
  SubmitWorkDocument,
} from "faena-client";
import { useMemo } from "react";

import { Act, Badge, Field, Form, Money, Section } from "../parts";
import { useSession, useWords } from "../session";
import type { Job } from "./page";

/** What was handed in, what was decided about it, and what was paid for it. */
export function Work({ job }: { job: Job }) {
  const { me } = useSession();
  const { say } = useWords();
  const submissions = job.submissions.edges.map(({ node }) => node);
  const mine = submissions.find(({ worker }) => worker?.id === me?.viewer?.id);
  const shown = submissions.filter(({ status }) => status !== "DRAFT");
  const mayHandIn = job.allowedActions.includes("SUBMIT");
  if (!shown.length && !mayHandIn && job.status !== "SUBMITTING") return null;
  return (
    <>
      {(shown.length > 0 || !mayHandIn) && (
        <Section title={say.work}>
          {!shown.length && <p>{say.noWork}</p>}
          {shown.map((submission) => (
            <Submission key={submission.id} submission={submission} />
          ))}
        </Section>
      )}
      {mayHandIn && <HandIn job={job} before={mine} />}
    </>
  );
}

function HandIn({ job, before }: { job: Job; before?: SubmissionPartsFragment | undefined }) {
  const { faena, changed } = useSession();
  const { say } = useWords();
  const send = async (data: FormData) => {
    const input = { jobId: job.id, text: String(data.get("text")) };
    const { submission } = await faena.change(SaveWorkDocument, input);
    if (submission) await faena.change(SubmitWorkDocument, { submissionId: submission.id });
    changed();
  };
  return (
    <Section title={say.yourWork}>
      <Form label={say.yourWork} onSend={send} buttons={<button>{say.handIn}</button>}>
        <Field
          label={say.text}
          name="text"
          rows={6}
          input={{ required: true, defaultValue: before?.text ?? "" }}
        />
      </Form>
    </Section>
  );
}

function Submission({ submission }: { submission: SubmissionPartsFragment }) {
  const { faena, changed } = useSession();
  const { say, submission: status } = useWords();
  const { id, accepted, allowedActions, payouts } = submission;
  const agree = () => faena.change(AcknowledgeDecisionDocument, { submissionId: id }).then(changed);
  return (
    <article aria-label={submission.worker?.displayName}>
      <p className="about">
        <strong>{submission.worker?.displayName}</strong>
        <Badge kind={submission.status === "ACCEPTED" ? "good" : "plain"}>
          {status[submission.status]}
        </Badge>
        {accepted.value !== "0" && (
          <span>
            {say.acceptedFor} <Money amount={accepted} />
          </span>
        )}
      </p>
      <blockquote>{submission.text}</blockquote>
      {submission.comment && <p className="comment">{submission.comment}</p>}
      <ul className="rows">
        {payouts.map((payout) => (
          <Payout key={payout.id} payout={payout} />
        ))}
      </ul>
      {allowedActions.includes("ACCEPT") && (
        <Review key={accepted.value} submission={submission} />
      )}
      {allowedActions.includes("ACKNOWLEDGE") && <Act quiet label={say.agree} onAct={agree} />}
    </article>
  );
}

function Review({ submission }: { submission: SubmissionPartsFragment }) {
  const { faena, changed } = useSession();
  const { say } = useWords();
  const { id, reward, accepted, allowedActions } = submission;
  const open = { ...reward, value: String(BigInt(reward.value) - BigInt(accepted.value)) };
  // Another one after each decision.
  const idempotencyKey = useMemo(() => crypto.randomUUID(), [id, accepted.value]);
  const decide = async (data: FormData, decision: string) => {
    const amount = parseAmount(String(data.get("amount")), reward);
    if (decision === "ACCEPT" && !amount) throw new Error(say.badAmount);
    await faena.change(ReviewDocument, {
      ...{ submissionId: id, decision: decision as ReviewDecision, idempotencyKey },
      amount: decision === "ACCEPT" ? amount : null,
      comment: String(data.get("comment")) || null,
    });
    changed();
  };
  const labels = { ACCEPT: say.accept, REQUEST_CHANGES: say.changes, REJECT: say.reject };
  return (
    <Form
      label={submission.worker?.displayName ?? say.work}
      onSend={decide}
      buttons={(Object.keys(labels) as ReviewDecision[])
        .filter((decision) => allowedActions.includes(decision))
        .map((decision) => (
          <button
            key={decision}
            value={decision}
            className={decision === "ACCEPT" ? undefined : "quiet"}
          >
            {labels[decision]}
          </button>
        ))}
    >
      <Field
        label={say.amount}
        name="amount"
        hint={say.amountHint}
        suffix={reward.assetCode}
        input={{ inputMode: "decimal", defaultValue: typed(open) }}
      />
      <Field label={say.comment} name="comment" rows={2} />
    </Form>
  );
}

function Payout({ payout }: { payout: PaymentPartsFragment }) {
  const { say, payment: status } = useWords();
  const { receipt, failure } = payout;
  const isPaid = payout.status === "COMPLETED";
  return (
    <li>
      <span className="about">
        <Badge kind={isPaid ? "good" : "plain"}>{status[payout.status]}</Badge>
        {isPaid && <Money amount={payout.deliveredAmount} />}
        {failure && <strong className="error">{failure.message}</strong>}
      </span>
      {receipt && (
        <a
          href={`data:application/jose,${receipt.jws}`}
          download={`${receipt.number}.jws`}
        >
          {say.receipt} {receipt.number}
        </a>
      )}
    </li>
  );
}

/** A sum as `parseAmount` reads it. */
function typed(amount: SubmissionPartsFragment["reward"]): string {
  return formatAmount(amount, "en").replaceAll(/[^\d.]/g, "");
}
