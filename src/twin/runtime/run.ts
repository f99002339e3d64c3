/**
 * Work that may take virtual time: its answer, or a wait and what comes after it. Most plugin calls
 * answer at once, and then nothing is scheduled.
 */
export class Waiting<T> {
  /** What tells it from an outcome, or an answer, that is there already. */
  readonly kind = 'waiting';
  readonly ok = undefined;
  readonly ms: number;
  /** `killed`: the caller gave up and the process was killed meanwhile. */
  readonly resume: (killed: boolean) => Run<T>;

  constructor(ms: number, resume: (killed: boolean) => Run<T>) {
    this.ms = ms;
    this.resume = resume;
  }
}

export type Run<T> = T | Waiting<T>;

export function andThen<T, U>(run: Run<T>, next: (value: T) => Run<U>): Run<U> {
  if (!(run instanceof Waiting)) return next(run);
  return new Waiting<U>(run.ms, (killed) => andThen(run.resume(killed), next));
}

/** Runs side by side; the answer comes when all have answered. */
export function together<T>(runs: readonly Run<T>[]): Run<readonly T[]> {
  const answers: T[] = [];
  let shortest = Number.POSITIVE_INFINITY;
  for (const run of runs) {
    if (run instanceof Waiting) shortest = Math.min(shortest, run.ms);
    else answers.push(run);
  }
  if (answers.length === runs.length) return answers;
  return new Waiting(shortest, (killed) =>
    together(
      runs.map((run) => {
        if (!(run instanceof Waiting)) return run;
        const left = run.ms - shortest;
        return killed || left <= 0 ? run.resume(killed) : new Waiting(left, run.resume);
      }),
    ),
  );
}
