import {
  type ApplicationPartsFragment,
  DecideApplicationsDocument,
  WithdrawApplicationDocument,
} from "faena-client";

import { Act, Badge, Section } from "../parts";
import { useSession, useWords } from "../session";
import type { Job } from "./page";

// The input of decideApplications that carries out an action.
const DECISIONS = { SELECT: "select", REJECT: "reject", RESET: "reset" } as const;

/** Everybody's to the owner, one's own to an applicant. */
export function Applications({ job }: { job: Job }) {
  const { me } = useSession();
  const { say } = useWords();
  const applications = job.applications.edges.map(({ node }) => node);
  const isOwner = me?.viewer?.id === job.owner?.id;
  if (!applications.length && !(isOwner && job.status === "RECRUITING")) return null;
  return (
    <Section title={say.applications}>
      {!applications.length && <p>{say.noApplications}</p>}
      <ul className="rows">
        {applications.map((application) => (
          <Application key={application.id} application={application} jobId={job.id} />
        ))}
      </ul>
    </Section>
  );
}

function Application(props: { application: ApplicationPartsFragment; jobId: string }) {
  const { faena, changed } = useSession();
  const { say, application: status } = useWords();
  const { id, note, allowedActions, applicant, ...application } = props.application;
  const name = applicant?.displayName ?? "–";
  const decide = (action: keyof typeof DECISIONS) => {
    const input = { jobId: props.jobId, [DECISIONS[action]]: [id] };
    return faena.change(DecideApplicationsDocument, input).then(changed);
  };
  const withdraw = () =>
    faena.change(WithdrawApplicationDocument, { applicationId: id }).then(changed);
  return (
    <li>
      <span>
        <strong>{name}</strong> <Badge kind={application.status === "SELECTED" ? "good" : "plain"}>{status[application.status]}</Badge>
        {note && <q>{note}</q>}
      </span>
      <span className="buttons">
        {allowedActions.map((action) =>
          action === "WITHDRAW" ? (
            <Act key={action} quiet label={say.withdraw} onAct={withdraw} />
          ) : (
            <Act
              key={action}
              quiet={action !== "SELECT"}
              label={say[DECISIONS[action]]}
              about={name}
              onAct={() => decide(action)}
            />
          ),
        )}
      </span>
    </li>
  );
}
