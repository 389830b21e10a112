import type { HappeningFragment } from "faena-client";

import { Link, pathOfJob } from "./router";
import { useSession, useWords } from "./session";

const SHOWN = 12;

/** What has happened to the viewer and to what concerns them; the newest is said aloud. */
export function Feed() {
  const { happenings, locale } = useSession();
  const { say } = useWords();
  const happened = useHappened();
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "short" });
  const newest = happenings[0];
  return (
    <aside aria-labelledby="feed" className="card feed">
      <h2 id="feed">{say.feed}</h2>
      <p role="status" className="unseen">
        {newest && happened(newest)}
      </p>
      {!newest && <p>{say.nothing}</p>}
      <ol>
        {happenings.slice(0, SHOWN).map((each) => {
          const job = jobOf(each);
          return (
            <li key={each.id}>
              <time dateTime={each.at}>{time.format(new Date(each.at))}</time>
              {job ? <Link href={pathOfJob(job)}>{happened(each)}</Link> : happened(each)}
            </li>
          );
        })}
      </ol>
    </aside>
  );
}

/** A sentence for an event; kinds and values that are newer than this app show as they come. */
function useHappened(): (event: HappeningFragment) => string {
  const words = useWords();
  return ({ type, data }) => {
    const kind = type.split(".")[0] ?? type;
    const status = String((JSON.parse(data) as { status?: string }).status ?? "");
    const of = (words as unknown as Record<string, Record<string, string>>)[kind];
    return [words.happened[kind] ?? type, of?.[status] ?? status].filter(Boolean).join(": ");
  };
}

function jobOf({ type, subjectId, data }: HappeningFragment): string | null {
  if (type.startsWith("job.")) return subjectId;
  return (JSON.parse(data) as { job?: string }).job ?? null;
}
