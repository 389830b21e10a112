import { Feed } from "./feed";
import { JobPage } from "./job/page";
import { Jobs } from "./jobs";
import { MyWork } from "./mywork";
import { EnterPage, WalletPage } from "./people";
import { PostPage } from "./post";
import { Link, usePath } from "./router";
import { useSession, useWords } from "./session";
import { type Language, LANGUAGES } from "./words";

export function App() {
  const { isConnected, isKnown } = useSession();
  const { say } = useWords();
  return (
    <>
      <a className="skip" href="#content">
        {say.skip}
      </a>
      <Header />
      <div className="columns">
        <main id="content" tabIndex={-1}>
          <Page />
        </main>
        {isKnown && <Feed />}
      </div>
      <div role="status" className="notice">
        {isConnected ? "" : <p>{say.offline}</p>}
      </div>
    </>
  );
}

function Page() {
  const { isKnown } = useSession();
  const path = usePath();
  const job = /^\/jobs\/([^/]+)$/.exec(path)?.[1];
  if (job) return <JobPage key={job} id={decodeURIComponent(job)} />;
  if (path === "/enter" || (path !== "/" && !isKnown)) return <EnterPage />;
  if (path === "/wallet") return <WalletPage />;
  if (path === "/work") return <MyWork />;
  if (path === "/post") return <PostPage />;
  return <Jobs key={path} mine={path === "/mine"} />;
}

function Header() {
  const { me, isKnown, enter, language, speak } = useSession();
  const { say } = useWords();
  return (
    <header>
      <Link href="/" className="brand">
        Faena
      </Link>
      <nav aria-label="Faena">
        <Link href="/">{say.jobs}</Link>
        {isKnown && (
          <>
            <Link href="/work">{say.applied}</Link>
            <Link href="/mine">{say.mine}</Link>
            <Link href="/post">{say.post}</Link>
            <Link href="/wallet">{say.wallet}</Link>
          </>
        )}
      </nav>
      <div className="person">
        {Object.keys(LANGUAGES)
          .filter((each) => each !== language)
          .map((each) => (
            <button key={each} type="button" className="quiet" lang={each} onClick={() => speak(each as Language)}>
              {{ en: "English", es: "Español" }[each]}
            </button>
          ))}
        {isKnown ? (
          <>
            <span>{me?.viewer?.displayName}</span>
            <button type="button" className="quiet" onClick={() => enter(null)}>
              {say.logOut}
            </button>
          </>
        ) : (
          <Link href="/enter">{say.enter}</Link>
        )}
      </div>
    </header>
  );
}
