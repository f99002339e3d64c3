/** Calls that have not been answered yet; a process that dies answers none of them itself. */
import type { SandboxResult, StopResult } from '../world.ts';

type Failure = SandboxResult & StopResult & { readonly ok: false };

export interface Answer<T> {
  readonly open: boolean;
  give(value: T): void;
}

export class InFlight {
  private readonly open = new Set<(failure: Failure | undefined) => void>();

  begin<T>(done: (value: T | Failure) => void): Answer<T | Failure> {
    const { open } = this;
    let waiting = true;
    const close = (failure: Failure | undefined): void => {
      waiting = false;
      if (failure !== undefined) done(failure);
    };
    open.add(close);
    return {
      get open() {
        return waiting;
      },
      give(value) {
        if (!waiting) return;
        waiting = false;
        open.delete(close);
        done(value);
      },
    };
  }

  /** The connection broke: every caller learns that. */
  fail(message: string): void {
    const failure: Failure = { ok: false, message, because: [] };
    const closing = [...this.open];
    this.open.clear();
    for (const close of closing) close(failure);
  }

  /** The callers are gone too. */
  drop(): void {
    for (const close of this.open) close(undefined);
    this.open.clear();
  }
}
