import type { DocumentTypeDecoration } from "@graphql-typed-document-node/core";
import { type Client as Socket, createClient } from "graphql-ws";

import { NoAnswer, type Refusal, Refused, refusedBy, type TopLevelError } from "./errors.js";

/** An operation with the types of its result and its variables, as GraphQL Code Generator makes it. */
export type Document<Result, Variables> = DocumentTypeDecoration<Result, Variables> & {
  toString(): string;
};

export interface Options {
  /** Where the API is: `https://faena.example/graphql`. */
  url: string;
  /** Whose client it is: what `signUp` or `logIn` gave, or an API key. Left out: a visitor's. */
  token?: string | undefined;
  /** The language of sentences for people, until a profile has one. */
  language?: string | undefined;
  /** Of Node before 22, which has none by itself: the `WebSocket` of the package ws. */
  webSocketImpl?: unknown;
}

export interface Following {
  /** The last cursor that arrived, perhaps in an earlier life of the app. */
  after?: string | null;
  /** Ends it. */
  signal?: AbortSignal;
  /** Called when the connection is lost, and when an item says that it is there again. */
  onConnection?: (connected: boolean) => void;
}

interface Item {
  cursor: string;
  terminal?: boolean;
}

const PING_MILLISECONDS = 10_000;
const PONG_MILLISECONDS = 5_000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;
// The code of a socket that was closed for its token.
const FORBIDDEN = 4403;

/** Faena's API as one person. After `logIn` make another one, and `close` this one. */
export class Faena {
  readonly #options: Options;
  #socket: Socket | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Carry out a query or a mutation.
   *
   * Throws Refused for errors beside the data. A mutation's refusals are in its payload: see `change`.
   * Throws NoAnswer when none came, or one that is not Faena's.
   */
  async run<Result, Variables>(
    document: Document<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const { url, token, language } = this.#options;
    let answer: { data?: Result; errors?: TopLevelError[] };
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(language && { "Accept-Language": language }),
        },
        body: JSON.stringify({ query: document.toString(), variables }),
      });
      answer = (await response.json()) as typeof answer;
    } catch (reason) {
      throw new NoAnswer("No answer came.", { cause: reason });
    }
    if (answer.errors?.length) throw refusedBy(answer.errors);
    if (!answer.data) throw new NoAnswer("This is no answer of Faena's.");
    return answer.data;
  }

  /** Carry out a mutation, and return its payload. Throws Refused, with its `errors`, if it has any. */
  async change<Payload extends { errors: readonly Refusal[] }, Input>(
    document: Document<Record<string, Payload>, { input: Input }>,
    input: Input,
  ): Promise<Payload> {
    const payload = onlyField(await this.run(document, { input }));
    const [first, ...more] = payload.errors;
    if (first) throw new Refused([first, ...more]);
    return payload;
  }

  /**
   * Follow a subscription from its first item to its last, over any number of connections.
   *
   * Every item comes once, in order, because each new connection asks for what is behind the last
   * `cursor`: the document must ask for it, and take `$after`. Throws Refused when connecting again
   * cannot help: UNAUTHENTICATED for a token that has ended, CURSOR_EXPIRED after 30 days.
   */
  async *follow<Each extends Item, Variables>(
    document: Document<Record<string, Each>, Variables>,
    variables: Omit<Variables, "after">,
    { after = null, signal, onConnection }: Following = {},
  ): AsyncGenerator<Each, void, undefined> {
    const socket = (this.#socket ??= prepareSocket(this.#options));
    for (let losses = 0; !signal?.aborted; losses += 1) {
      const items = socket.iterate<Record<string, Each>>({
        query: document.toString(),
        variables: { ...variables, after },
      });
      const stop = (): void => void items.return?.();
      signal?.addEventListener("abort", stop);
      try {
        for await (const { data, errors } of items) {
          if (errors?.length) throw refusedBy(errors);
          if (!data) continue;
          if (losses) onConnection?.(true);
          losses = 0;
          const item = onlyField(data);
          after = item.cursor;
          yield item;
          if (item.terminal) return;
        }
      } catch (reason) {
        const refused = asRefused(reason);
        if (refused) throw refused;
      } finally {
        signal?.removeEventListener("abort", stop);
        stop();
      }
      if (signal?.aborted) return;
      onConnection?.(false);
      await pause(losses, signal);
    }
  }

  /** Close the socket; what is followed ends with it only by its own `signal`. */
  close(): void {
    void this.#socket?.dispose();
  }
}

/** It opens with the first subscription, and closes after the last. */
function prepareSocket({ url, token, webSocketImpl }: Options): Socket {
  let unanswered: ReturnType<typeof setTimeout>;
  const socket = createClient({
    url: url.replace(/^http/, "ws"),
    ...(token && { connectionParams: { Authorization: `Bearer ${token}` } }),
    webSocketImpl,
    // It would repeat the first subscription, with the cursor of that time: `follow` asks itself.
    retryAttempts: 0,
    // A phone that changed its network holds a socket that looks open and is not.
    keepAlive: PING_MILLISECONDS,
    on: {
      ping: (received) => {
        if (!received) unanswered = setTimeout(() => socket.terminate(), PONG_MILLISECONDS);
      },
      pong: (received) => {
        if (received) clearTimeout(unanswered);
      },
      closed: () => clearTimeout(unanswered),
    },
  });
  return socket;
}

function asRefused(reason: unknown): Refused | null {
  if (reason instanceof Refused) return reason;
  if (Array.isArray(reason)) return refusedBy(reason as TopLevelError[]);
  if ((reason as { code?: unknown } | null)?.code !== FORBIDDEN) return null;
  const message = "The session has ended.";
  return refusedBy([{ message, extensions: { code: "UNAUTHENTICATED" } }]);
}

function onlyField<Value>(data: Record<string, Value>): Value {
  return Object.values(data)[0] as Value;
}

function pause(losses: number, signal: AbortSignal | undefined): Promise<void> {
  const most = Math.min(250 * 2 ** losses, LONGEST_PAUSE_MILLISECONDS);
  return new Promise((resume) => {
    // At random, so that not all clients of a restarted server come back in the same moment.
    const timer = setTimeout(resume, most * (0.5 + Math.random() / 2));
    signal?.addEventListener("abort", () => (clearTimeout(timer), resume()), { once: true });
  });
}
