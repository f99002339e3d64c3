/**
 * The smallest set of changes that makes a trial clean: none, each alone, each two, and so on. All sets
 * of the first size at which one is clean are tried, so that the cheapest can be taken. Bounded by the
 * number of trials, never by time, so that the same input always finds the same.
 */
export interface SearchLimits {
  readonly sizeMax: number;
  readonly trialsMax: number;
}

export interface Tried<Change, Result> {
  readonly changes: readonly Change[];
  readonly result: Result;
}

export interface Search<Change, Result> {
  readonly tried: readonly Tried<Change, Result>[];
  /** Those of `tried` that are clean, in their order. */
  readonly clean: readonly Tried<Change, Result>[];
  /** Every set up to the size at which it ended was tried. */
  readonly exhausted: boolean;
}

export async function searchChanges<Change extends { readonly about: string }, Result>(
  candidates: readonly Change[],
  trial: (changes: readonly Change[]) => Promise<Result>,
  isClean: (result: Result) => boolean,
  { sizeMax, trialsMax }: SearchLimits,
): Promise<Search<Change, Result>> {
  const tried: Tried<Change, Result>[] = [];
  for (let size = 1; size <= Math.min(sizeMax, candidates.length); size += 1) {
    const clean: Tried<Change, Result>[] = [];
    for (const changes of setsOf(candidates, size)) {
      if (tried.length >= trialsMax) return { tried, clean, exhausted: false };
      const one = { changes, result: await trial(changes) };
      tried.push(one);
      if (isClean(one.result)) clean.push(one);
    }
    if (clean.length > 0) return { tried, clean, exhausted: true };
  }
  return { tried, clean: [], exhausted: candidates.length <= sizeMax };
}

/** Sets of that size in which no two are about the same, in the candidates' order. */
function* setsOf<Change extends { readonly about: string }>(
  candidates: readonly Change[],
  size: number,
): Generator<readonly Change[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (const [index, first] of candidates.entries()) {
    const rest = candidates.slice(index + 1).filter(({ about }) => about !== first.about);
    for (const others of setsOf(rest, size - 1)) yield [first, ...others];
  }
}
