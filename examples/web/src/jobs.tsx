import { type JobCardFragment, JobsDocument } from "faena-client";
import { type ReactNode, useState } from "react";

import { Badge, Heading, Money, More, Trouble } from "./parts";
import { Link, pathOfJob } from "./router";
import { usePages, useWords } from "./session";

/** Jobs that look for people, or, if `mine`, the viewer's own in every status. */
export function Jobs({ mine }: { mine: boolean }) {
  const { say } = useWords();
  const [text, setText] = useState("");
  const [wished, setWished] = useState("");
  const filter = mine
    ? { mine, text: wished || null }
    : { status: ["RECRUITING" as const], text: wished || null };
  const { nodes, more, failure } = usePages(JobsDocument, { filter }, ({ jobs }) => jobs);
  return (
    <>
      <Heading title={mine ? say.mine : say.jobs}>{mine ? say.mine : say.welcome}</Heading>
      <form
        role="search"
        className="search"
        onSubmit={(event) => {
          event.preventDefault();
          setWished(text);
        }}
      >
        <input
          type="search"
          aria-label={say.searchJobs}
          placeholder={say.searchJobs}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button>{say.search}</button>
      </form>
      <Trouble reason={failure} />
      {nodes?.length === 0 && <p>{say.noJobs}</p>}
      <ul className="jobs" aria-busy={!nodes}>
        {nodes?.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </ul>
      <More more={more} />
    </>
  );
}

export function JobCard({ job, children }: { job: JobCardFragment; children?: ReactNode }) {
  return (
    <li className="card">
      <div>
        <h2>
          <Link href={pathOfJob(job.id)}>{job.title}</Link>
        </h2>
        {children}
        <JobFacts job={job} />
      </div>
      <Money amount={job.reward} />
    </li>
  );
}

/** Whose it is, in what language, and where it and its money stand. */
export function JobFacts({ job }: { job: JobCardFragment }) {
  const { say, job: status, assurance } = useWords();
  return (
    <p className="about">
      <Badge kind={job.status === "COMPLETE" ? "good" : "plain"}>{status[job.status]}</Badge>
      <Badge kind={job.fundingAssurance === "NONE" ? "plain" : "good"}>
        {assurance[job.fundingAssurance]}
      </Badge>
      <span>
        {say.by} {job.owner?.displayName ?? "–"}
        {job.languageTag && ` · ${job.languageTag}`}
      </span>
    </p>
  );
}
