import type { ErrorCode, RefusalFragment } from "./generated.js";

/** A refusal as every mutation gives it in `errors`: a code to decide by, a sentence to show. */
export type Refusal = RefusalFragment;

/** Faena said no; nothing was changed. `message` is a sentence for people, in their language. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    readonly refusals: readonly [Refusal, ...Refusal[]],
    /** With RATE_LIMITED: after how long the same request counts again. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(refusals.map((each) => each.message).join(" "));
  }

  /** The first refusal's code. More codes may come: treat one that you do not know as a plain no. */
  get code(): ErrorCode {
    return this.refusals[0].code;
  }

  /** The refusal with this code, or undefined. */
  because(code: ErrorCode): Refusal | undefined {
    return this.refusals.find((each) => each.code === code);
  }

  /** What to say beside the input field of this name; see `path` in the schema. */
  about(field: string): string | undefined {
    return this.refusals.find((each) => each.path?.[0] === field)?.message;
  }
}

/** No answer came. A mutation may have been carried out: repeat it with the same idempotencyKey. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** An error beside the data of an answer: about the request as a whole. */
export interface TopLevelError {
  message: string;
  extensions?: Record<string, unknown> | undefined;
}

/** What such errors mean. */
export function refusedBy(errors: readonly TopLevelError[]): Refused {
  const refusals = errors.map(({ message, extensions }) => ({
    code: (extensions?.["code"] ?? "INTERNAL") as ErrorCode,
    message,
    path: null,
    retryable: extensions?.["retryable"] === true,
  }));
  const wait = errors[0]?.extensions?.["retryAfterSeconds"];
  return new Refused(refusals as [Refusal, ...Refusal[]], typeof wait === "number" ? wait : null);
}
