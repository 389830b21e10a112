import { MyWorkDocument } from "faena-client";

import { JobCard } from "./jobs";
import { Badge, Heading, More, Trouble } from "./parts";
import { usePages, useWords } from "./session";

/** The jobs that the viewer has applied for or works on, in every status. */
export function MyWork() {
  const { say, application: status } = useWords();
  const { nodes, more, failure } = usePages(MyWorkDocument, {}, ({ myApplications }) => myApplications);
  return (
    <>
      <Heading title={say.applied}>{say.applied}</Heading>
      <Trouble reason={failure} />
      {nodes?.length === 0 && <p>{say.noApplied}</p>}
      <ul className="jobs" aria-busy={!nodes}>
        {nodes?.map(
          (each) =>
            each.job && (
              <JobCard key={each.id} job={each.job}>
                <p className="about">
                  <Badge kind={each.status === "SELECTED" ? "good" : "plain"}>
                    {status[each.status]}
                  </Badge>
                </p>
              </JobCard>
            ),
        )}
      </ul>
      <More more={more} />
    </>
  );
}
