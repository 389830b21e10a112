import {
  CancelFundingDocument,
  ConfirmGrantDocument,
  type FundingPartsFragment,
  FundingProgressDocument,
  PreFundJobDocument,
  PreviewFundingDocument,
  type PreviewFundingQuery,
  Refused,
  RenewGrantDocument,
} from "faena-client";
import { useEffect, useMemo, useState } from "react";

import { Act, Badge, Money, Section, Trouble } from "../parts";
import { Link, pathOfJob } from "../router";
import { useQuery, useSession, useWords } from "../session";
import type { Job } from "./page";

/** The money behind a job, to its owner: what it costs, the consent, and what became of it. */
export function Funding({ job }: { job: Job }) {
  const { say } = useWords();
  // Here, since the parts below come and go while the wallet is being asked.
  const toWallet = useConsent(job.id);
  const [funding] = job.fundings.edges.map(({ node }) => node);
  const hasSelected = job.applications.edges.some(({ node }) => node.status === "SELECTED");
  const isAsked = funding?.status === "AWAITING_APPROVAL";
  const mayAsk = job.allowedActions.includes("PRE_FUND") && hasSelected && !isAsked;
  if (!funding && !mayAsk) return null;
  return (
    <Section title={say.money}>
      <ComingBack />
      {funding && <Standing funding={funding} job={job} toWallet={toWallet} />}
      {mayAsk && <Cost job={job} toWallet={toWallet} />}
    </Section>
  );
}

/** What each worker gets and what leaves the wallet, before anybody is asked for consent. */
function Cost({ job, toWallet }: { job: Job; toWallet: ToWallet }) {
  const { faena, changed } = useSession();
  const { say } = useWords();
  const { data, failure } = useQuery(PreviewFundingDocument, { input: { jobId: job.id } });
  const preview = data?.previewFunding;
  // A key for one decision about one sum: pressed again after a silence, it has one effect.
  const idempotencyKey = useMemo(() => crypto.randomUUID(), [preview?.total.value]);
  const ask = async () => {
    if (!preview) return;
    try {
      const { funding } = await faena.change(PreFundJobDocument, {
        ...{ jobId: job.id, expectedTotal: preview.total, idempotencyKey },
        returnUrl: location.origin + pathOfJob(job.id),
      });
      if (funding) await toWallet(funding.id);
    } catch (reason) {
      // It costs something else by now: show that, and let the person decide again.
      if (reason instanceof Refused && reason.because("AMOUNT_CHANGED")) changed();
      throw reason;
    }
  };
  if (failure) {
    return (
      <>
        <Trouble reason={failure} />
        <Link href="/wallet">{say.wallet}</Link>
      </>
    );
  }
  if (!preview) return <p role="status">{say.loading}</p>;
  return (
    <>
      <CostTable preview={preview} />
      <p>{say.consentHint}</p>
      <Act label={say.toWallet} onAct={ask} />
    </>
  );
}

function CostTable({ preview }: { preview: PreviewFundingQuery["previewFunding"] }) {
  const { say } = useWords();
  return (
    <table>
      <caption>{say.cost}</caption>
      <thead>
        <tr>
          <th scope="col">{say.worker}</th>
          <th scope="col">{say.gets}</th>
          <th scope="col">{say.leaves}</th>
        </tr>
      </thead>
      <tbody>
        {preview.lines.map((line, index) => (
          <tr key={index}>
            <th scope="row">{line.isPlatformFee ? say.platform : line.payee?.displayName}</th>
            <td>
              <Money amount={line.receiveAmount} />
            </td>
            <td>
              <Money amount={line.debitAmount} />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colSpan={2}>
            {say.total}
          </th>
          <td>
            <Money amount={preview.debit} />
          </td>
        </tr>
        <tr>
          <th scope="row" colSpan={2}>
            {say.atMost}
          </th>
          <td>
            <Money amount={preview.maxDebit} />
          </td>
        </tr>
      </tfoot>
    </table>
  );
}

interface Standing {
  funding: FundingPartsFragment;
  job: Job;
  toWallet: ToWallet;
}

function Standing({ funding, job, toWallet }: Standing) {
  const { faena, changed } = useSession();
  const { say, funding: status } = useWords();
  const idempotencyKey = useMemo(() => crypto.randomUUID(), [funding.id, funding.status]);
  const open = funding.grants.find((grant) => grant.status === "AWAITING_APPROVAL");
  const renew = async () => {
    const returnUrl = location.origin + pathOfJob(job.id);
    await faena.change(RenewGrantDocument, { fundingId: funding.id, returnUrl, idempotencyKey });
    await toWallet(funding.id);
  };
  const cancel = async () => {
    await faena.change(CancelFundingDocument, { fundingId: funding.id, idempotencyKey });
    changed();
  };
  const isGood = ["SECURED", "PARTIALLY_RELEASED", "SETTLED"].includes(funding.status);
  return (
    <>
      <p className="about">
        <Badge kind={isGood ? "good" : "plain"}>{status[funding.status]}</Badge>
        <span>
          <Money amount={funding.total} /> · {say.paidOut} <Money amount={funding.released} />
        </span>
      </p>
      {open?.redirectUrl && (
        <a className="button" href={open.redirectUrl}>
          {say.goOn}
        </a>
      )}
      <div className="buttons">
        {funding.allowedActions.includes("RENEW") && (
          <Act quiet={isGood} label={say.again} onAct={renew} />
        )}
        {funding.allowedActions.includes("CANCEL") && (
          <Act quiet label={say.callOff} onAct={cancel} />
        )}
      </div>
    </>
  );
}

type ToWallet = (fundingId: string) => Promise<void>;

/** Wait until the wallet has a page for this consent, and go there in this tab. */
function useConsent(jobId: string): ToWallet {
  const { faena, changed } = useSession();
  const end = useMemo(() => new AbortController(), [jobId]);
  useEffect(() => () => end.abort(), [end]);
  return async (id) => {
    for await (const { funding, terminal } of faena.follow(FundingProgressDocument, { id })) {
      const grant = funding.grants.find(({ status }) => status === "AWAITING_APPROVAL");
      if (grant?.redirectUrl) {
        location.assign(grant.redirectUrl);
        return;
      }
      if (terminal || funding.status === "SECURED" || end.signal.aborted) break;
    }
    changed();
  };
}

/** What the wallet sent back with the payer: see `returnUrl` in docs/payments.md. */
function ComingBack() {
  const { faena, changed } = useSession();
  const { say } = useWords();
  const [back, setBack] = useState(() => new URLSearchParams(location.search));
  const [grantId, status] = [back.get("grantId"), back.get("grantStatus")];
  useEffect(() => {
    // Read once: a reload of the page is not another return.
    if (location.search) history.replaceState(null, "", location.pathname);
  }, []);
  const confirm = async () => {
    if (grantId) await faena.change(ConfirmGrantDocument, { grantId });
    setBack(new URLSearchParams({ grantStatus: "APPROVED" }));
    changed();
  };
  return (
    <div role="status">
      {status === "APPROVED" && <p className="good">{say.approved}</p>}
      {status === "REJECTED" && <p>{say.rejected}</p>}
      {status === "CONFIRMATION_REQUIRED" && (
        <>
          <p>{say.confirmHint}</p>
          <Act label={say.confirm} onAct={confirm} />
        </>
      )}
    </div>
  );
}
