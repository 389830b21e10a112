import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";

/** The path of the address bar. */
export function usePath(): string {
  return useSyncExternalStore(listen, () => location.pathname);
}

/** Show another page of the app. */
export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

export const pathOfJob = (id: string): string => `/jobs/${encodeURIComponent(id)}`;

export function Link({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(href);
  };
  const current = usePath() === href ? "page" : undefined;
  return <a href={href} onClick={follow} aria-current={current} {...rest} />;
}

function listen(changed: () => void): () => void {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
}
