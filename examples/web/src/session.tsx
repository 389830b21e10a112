import {
  type Document,
  Faena,
  type HappeningFragment,
  LogOutDocument,
  MeDocument,
  type MeQuery,
  MineDocument,
  MissedDocument,
  type MissedQuery,
  NoAnswer,
  Refused,
} from "faena-client";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

import { type Language, LANGUAGES } from "./words";

// Of a tab: two people can stand beside each other in two tabs, and closing one forgets its token.
const TOKEN = "faena-token";
const LANGUAGE = "faena-language";
// Events come in groups: one of the job, one of its money.
const SETTLED_MILLISECONDS = 60;

interface Session {
  faena: Faena;
  isKnown: boolean;
  /** Null for a visitor, and until it is read. */
  me: MeQuery | null;
  /** Newest first. */
  happenings: readonly HappeningFragment[];
  isConnected: boolean;
  /** Counts what has happened: who shows something reads it again. */
  version: number;
  changed: () => void;
  enter: (token: string | null) => void;
  language: Language;
  /** The language as spoken where the reader is: es-MX writes 12.50 where es writes 12,50. */
  locale: string;
  speak: (language: Language) => void;
}

const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  return useContext(SessionContext)!;
}

/** The words of the reader's language. */
export function useWords() {
  return LANGUAGES[useSession().language];
}

export function SessionProvider({ url, children }: { url: string; children: ReactNode }) {
  const [token, setToken] = useState(() => sessionStorage.getItem(TOKEN));
  const [language, setLanguage] = useState(firstLanguage);
  const [version, setVersion] = useState(0);
  const changed = () => setVersion((before) => before + 1);
  const faena = useMemo(
    () => new Faena({ url, token: token ?? undefined, language }),
    [url, token, language],
  );
  const enter = (next: string | null) => {
    if (next) sessionStorage.setItem(TOKEN, next);
    else sessionStorage.removeItem(TOKEN);
    setToken(next);
  };
  const leave = () => enter(null);
  const me = useViewer(faena, token, version, leave);
  const feed = useFeed(faena, token, changed, leave);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(LANGUAGE, language);
  }, [language]);

  const session: Session = {
    ...{ faena, isKnown: token !== null, me, ...feed, version, changed, language },
    locale: navigator.languages.find((tag) => tag.startsWith(language)) ?? language,
    speak: setLanguage,
    enter: (next) => {
      if (!next) faena.run(LogOutDocument, {}).catch(() => undefined);
      enter(next);
    },
  };
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** What a query gives, read again whenever something has happened; undefined until it is there. */
export function useQuery<Result, Variables>(
  query: Document<Result, Variables>,
  variables: Variables,
): { data: Result | undefined; failure: unknown } {
  const { faena, version } = useSession();
  const key = JSON.stringify(variables);
  const [state, setState] = useState<{ key: string; data?: Result; failure?: unknown }>({ key });
  useEffect(() => {
    let isCurrent = true;
    const keep = (found: { data: Result } | { failure: unknown }) =>
      isCurrent && setState({ key, ...found });
    faena.run(query, variables).then((data) => keep({ data }), (failure) => keep({ failure }));
    return () => {
      isCurrent = false;
    };
  }, [faena, version, query, key]);
  return state.key === key
    ? { data: state.data, failure: state.failure }
    : { data: undefined, failure: undefined };
}

interface Page<Node> {
  edges: readonly { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** A list that is read a page at a time: `more` reads the next one, and is null after the last. */
export function usePages<Result, Variables, Node>(
  query: Document<Result, Variables>,
  variables: Variables,
  pageOf: (answer: Result) => Page<Node>,
): { nodes: Node[] | undefined; more: (() => Promise<void>) | null; failure: unknown } {
  const { faena } = useSession();
  const { data, failure } = useQuery(query, variables);
  const [further, setFurther] = useState<Page<Node>[]>([]);
  useEffect(() => setFurther([]), [data]);
  if (!data) return { nodes: undefined, more: null, failure };
  const first = pageOf(data);
  const { hasNextPage, endCursor } = (further[further.length - 1] ?? first).pageInfo;
  const more = async () => {
    const found = await faena.run(query, { ...variables, after: endCursor });
    setFurther([...further, pageOf(found)]);
  };
  const nodes = [first, ...further].flatMap(({ edges }) => edges.map(({ node }) => node));
  return { nodes, more: hasNextPage ? more : null, failure };
}

/** What to tell a person about something that did not work. */
export function useSentence(): (reason: unknown) => string {
  const { say } = useWords();
  return (reason) => {
    if (reason instanceof NoAnswer) return say.silent;
    return reason instanceof Error ? reason.message : String(reason);
  };
}

function useViewer(faena: Faena, token: string | null, version: number, leave: () => void) {
  const [me, setMe] = useState<MeQuery | null>(null);
  useEffect(() => {
    let isCurrent = true;
    if (!token) setMe(null);
    else
      faena.run(MeDocument, {}).then(
        (found) => isCurrent && setMe(found),
        (reason) => isCurrent && hasEnded(reason) && leave(),
      );
    return () => {
      isCurrent = false;
    };
  }, [faena, token, version]);
  return me;
}

/** The person's feed: first what is kept of it, then what happens while they look. */
function useFeed(faena: Faena, token: string | null, changed: () => void, leave: () => void) {
  const [happenings, setHappenings] = useState<readonly HappeningFragment[]>([]);
  const [isConnected, setConnected] = useState(true);
  useEffect(() => {
    if (!token) return;
    const end = new AbortController();
    let settling: ReturnType<typeof setTimeout>;
    const add = (...found: HappeningFragment[]) =>
      setHappenings((before) => [...found.reverse(), ...before]);
    const read = async () => {
      let after: string | null = null;
      for (let more = true; more && !end.signal.aborted; ) {
        const { events }: MissedQuery = await faena.run(MissedDocument, { after });
        add(...events.edges.flatMap(({ node }) => node ?? []));
        [after, more] = [events.endCursor, events.hasNextPage];
      }
      const following = { after, signal: end.signal, onConnection: setConnected };
      for await (const { node } of faena.follow(MineDocument, {}, following)) {
        if (!node) continue;
        add(node);
        clearTimeout(settling);
        settling = setTimeout(changed, SETTLED_MILLISECONDS);
      }
    };
    read().catch((reason) => (hasEnded(reason) ? leave() : setConnected(false)));
    return () => {
      end.abort();
      faena.close();
      clearTimeout(settling);
      setHappenings([]);
      setConnected(true);
    };
  }, [faena, token]);
  return { happenings, isConnected };
}

function hasEnded(reason: unknown): boolean {
  return reason instanceof Refused && reason.code === "UNAUTHENTICATED";
}

function firstLanguage(): Language {
  const wished = [localStorage.getItem(LANGUAGE), ...navigator.languages];
  const known = wished.map((tag) => tag?.slice(0, 2)).find((tag) => tag && tag in LANGUAGES);
  return (known as Language | undefined) ?? "en";
}
