/** What every call takes, and what a list or a watch is narrowed by. */

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds the call may take in all: waiting for its turn and repeats included. */
  readonly deadlineMs?: number;
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  /** `spec.nodeName=…` for pods. */
  readonly nodeName?: string;
  /** Labels that must be so, or the API's own syntax: `app in (a,b),!old`. */
  readonly labelSelector?: Readonly<Record<string, string>> | string;
  /** Fields that must be so, by their path (`metadata.name`, `status.phase`); `!=` by the text form. */
  readonly fieldSelector?: Readonly<Record<string, string>> | string;
}
