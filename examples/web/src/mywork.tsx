import { type MyApplicationFragment, MyWorkDocument } from "faena-client";
import { useEffect, useState } from "react";

import { JobCard } from "./jobs";
import { Badge, Heading, Trouble } from "./parts";
import { useQuery, useSession, useWords } from "./session";

/** The jobs that the viewer has applied for or works on, in every status. */
export function MyWork() {
  const { faena } = useSession();
  const { say, application: status } = useWords();
  const { data, failure } = useQuery(MyWorkDocument, {});
  const [more, setMore] = useState<MyApplicationFragment[]>([]);
  const [after, setAfter] = useState<string | null>(null);
  useEffect(() => {
    setMore([]);
    setAfter(data?.myApplications.pageInfo.hasNextPage ? data.myApplications.pageInfo.endCursor : null);
  }, [data]);
  const showMore = async () => {
    const { myApplications: found } = await faena.run(MyWorkDocument, { after });
    setMore([...more, ...found.edges.map(({ node }) => node)]);
    setAfter(found.pageInfo.hasNextPage ? found.pageInfo.endCursor : null);
  };
  const applications = [...(data?.myApplications.edges.map(({ node }) => node) ?? []), ...more];
  return (
    <>
      <Heading title={say.applied}>{say.applied}</Heading>
      <Trouble reason={failure} />
      {data && applications.length === 0 && <p>{say.noApplied}</p>}
      <ul className="jobs" aria-busy={!data}>
        {applications.map(
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
      {after && (
        <button type="button" className="quiet" onClick={showMore}>
          {say.more}
        </button>
      )}
    </>
  );
}
