const SEED = "faena:seed";

/**
 * Where the tabs live: in the session, because their headers hold bearer tokens that should
 * not outlive the browser tab, and only while the seed is the same, because tabs of an earlier
 * world (with tokens that no longer work) must not hide the ones the server seeds now.
 */
export function seededStorage(seed) {
  const session = window.sessionStorage;
  if (session.getItem(SEED) !== seed) {
    session.clear();
    session.setItem(SEED, seed);
  }
  return session;
}

/** Whether GraphiQL has not yet stored anything of its own here. */
export function isFresh(session) {
  return session.getItem("graphiql:tabState") === null;
}
