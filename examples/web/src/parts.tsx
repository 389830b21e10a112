import { formatAmount, Refused, type SumFragment } from "faena-client";
import {
  type ComponentProps,
  createContext,
  type ReactNode,
  type SubmitEvent,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";

import { useSentence, useSession, useWords } from "./session";

const RefusedContext = createContext<unknown>(null);

let isArrival = true;

/**
 * The name of a page. It takes the focus, so that who cannot see hears that the page is another; not
 * when the app has just been opened, where Tab has to begin at the top.
 */
export function Heading({ children, title }: { children: ReactNode; title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Faena`;
    if (!isArrival) heading.current?.focus();
    isArrival = false;
  }, [title]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** A form that says what was refused: beside a field where it is about one, else above the buttons. */
export function Form(props: {
  label: string;
  onSend: (data: FormData, button: string) => Promise<unknown>;
  children: ReactNode;
  buttons: ReactNode;
}) {
  const [refused, setRefused] = useState<unknown>(null);
  const [isSending, setSending] = useState(false);
  const send = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const button = event.nativeEvent.submitter as HTMLButtonElement;
    setSending(true);
    setRefused(null);
    try {
      await props.onSend(new FormData(form), button.value);
    } catch (reason) {
      setRefused(reason);
    }
    setSending(false);
  };
  return (
    <form aria-label={props.label} aria-busy={isSending} onSubmit={send}>
      <RefusedContext value={refused}>
        {props.children}
        <Trouble reason={refused} />
        <fieldset className="buttons" disabled={isSending}>
          {props.buttons}
        </fieldset>
      </RefusedContext>
    </form>
  );
}

/** One input with its label, its hint and what was refused about it. */
export function Field(props: {
  label: string;
  name: string;
  hint?: string;
  rows?: number;
  suffix?: string;
  input?: ComponentProps<"input"> & ComponentProps<"textarea">;
}) {
  const id = useId();
  const refused = useContext(RefusedContext);
  const error = refused instanceof Refused ? refused.about(props.name) : undefined;
  const described = [props.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const attributes = {
    id,
    name: props.name,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? true : undefined,
    ...props.input,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <div className="entry">
        {props.rows ? <textarea rows={props.rows} {...attributes} /> : <input {...attributes} />}
        {props.suffix && <span>{props.suffix}</span>}
      </div>
      {props.hint && (
        <small id={`${id}-hint`}>{props.hint}</small>
      )}
      {error && (
        <strong id={`${id}-error`} className="error">
          {error}
        </strong>
      )}
    </div>
  );
}

/** What did not work, said aloud. */
export function Trouble({ reason }: { reason: unknown }) {
  const sentence = useSentence();
  return <div role="alert">{reason ? <p className="error">{sentence(reason)}</p> : null}</div>;
}

/** A button that does something by itself. */
export function Act(props: { label: string; about?: string; onAct: () => Promise<unknown>; quiet?: boolean }) {
  const [refused, setRefused] = useState<unknown>(null);
  const [isSending, setSending] = useState(false);
  const act = async () => {
    setSending(true);
    setRefused(null);
    await props.onAct().catch(setRefused);
    setSending(false);
  };
  return (
    <>
      <button
        type="button"
        className={props.quiet ? "quiet" : undefined}
        disabled={isSending}
        onClick={act}
        aria-label={props.about && `${props.label}: ${props.about}`}
      >
        {props.label}
      </button>
      <Trouble reason={refused} />
    </>
  );
}

export function Money({ amount }: { amount: SumFragment }) {
  const { locale } = useSession();
  return <span className="money">{formatAmount(amount, locale)}</span>;
}

/** Where something stands. `kind` is its color only: the words say the same. */
export function Badge({ kind = "plain", children }: { kind?: string; children: ReactNode }) {
  return <span className={`badge ${kind}`}>{children}</span>;
}

/** The button below a list that has more; nothing where it has not. */
export function More({ more }: { more: (() => Promise<void>) | null }) {
  const { say } = useWords();
  if (!more) return null;
  return (
    <button type="button" className="quiet" onClick={more}>
      {say.more}
    </button>
  );
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="card">
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
