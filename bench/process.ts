/** Times whole processes: the minimum wall time of several runs, each checked to have done its work. */
import { spawnSync } from 'node:child_process';

export interface Timed {
  readonly milliseconds: number;
  readonly stdout: string;
}

interface Expectation {
  readonly status: number;
  readonly stdout?: RegExp;
}

/** A start-up time of a program that crashed is worth nothing, so every run is checked. */
export function timeProcess(args: readonly string[], runs: number, expected: Expectation): Timed {
  let milliseconds = Number.POSITIVE_INFINITY;
  let stdout = '';
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    const result = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      maxBuffer: 1024 * 1024 * 1024,
    });
    const took = performance.now() - start;
    if (
      result.status !== expected.status ||
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
