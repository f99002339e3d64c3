/** Times whole processes: the minimum wall time of several runs, each checked to have done its work. */
import { spawnSync } from 'node:child_process';

export interface Timed {
  readonly milliseconds: number;
  readonly stdout: string;
}

interface Expectation {
  /** Exit status, or those that mean that the work was done. */
  readonly status: number | readonly number[];
  readonly stdout?: RegExp;
}

/**
 * Without the extra certificates, which Node 20 reads at every start: they take longer than the
 * start itself, and would flatter every ratio to it.
 */
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env;

/** As `timeProcess`, and beside it what a bare Node takes: in turns, so that both meet equal load. */
export function timeStart(
  args: readonly string[],
  runs: number,
  expected: Expectation,
): Timed & { readonly bare: number } {
  const times = Array.from({ length: runs }, () => ({
    bare: timeProcess(['-e', '0'], 1, { status: 0 }).milliseconds,
    ...timeProcess(args, 1, expected),
  }));
  return {
    bare: Math.min(...times.map(({ bare }) => bare)),
    milliseconds: Math.min(...times.map(({ milliseconds }) => milliseconds)),
    stdout: times[0]?.stdout ?? '',
  };
}

/** A start-up time of a program that crashed is worth nothing, so every run is checked. */
export function timeProcess(args: readonly string[], runs: number, expected: Expectation): Timed {
  let milliseconds = Number.POSITIVE_INFINITY;
  let stdout = '';
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    const result = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: ENVIRONMENT,
      maxBuffer: 1024 * 1024 * 1024,
    });
    const took = performance.now() - start;
    if (
      ![expected.status].flat().includes(result.status ?? -1) ||
      (expected.stdout !== undefined && !expected.stdout.test(result.stdout))
    ) {
      throw new Error(
        `${args.join(' ')} ended with ${result.status}: ${result.stderr.slice(0, 2000)}`,
      );
    }
    milliseconds = Math.min(milliseconds, took);
    stdout = result.stdout;
  }
  return { milliseconds, stdout };
}
