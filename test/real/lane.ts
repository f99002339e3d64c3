/**
 * A part of the lane, and how it says what it found: passed, failed, or skipped with one plain word.
 * Nothing is skipped in silence.
 */
import type { Cache } from './cache.ts';
import { Skipped } from './skipped.ts';

export interface LaneOptions {
  readonly seed: number;
  readonly random: number;
  /** Ids of cases, or nothing for all. */
  readonly only: readonly string[] | undefined;
  readonly runtime: string | undefined;
  readonly verbose: boolean;
}

export interface Part {
  readonly name: string;
  readonly about: string;
  run(lane: Lane): Promise<void>;
}

export class Lane {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly cache: Cache;
  readonly options: LaneOptions;
  private readonly cleanups = new Set<() => Promise<void> | void>();

  constructor(cache: Cache, options: LaneOptions) {
    this.cache = cache;
    this.options = options;
  }

  tell(line: string): void {
    console.log(line);
  }

  /** A case is wanted when no id was asked for, or its own. */
  wants(id: string): boolean {
    return this.options.only === undefined || this.options.only.includes(id);
  }

  pass(title: string, transcript = ''): void {
    this.passed += 1;
    if (this.options.verbose) this.tell(`passed: ${title}${after(transcript)}`);
  }

  fail(title: string, transcript = ''): void {
    this.failed += 1;
    this.tell(`FAILED: ${title}${after(transcript)}`);
  }

  skip(what: string, why: string): void {
    this.skipped += 1;
    this.tell(`skipped: ${what}: ${why}`);
  }

  /** A test by itself: what it throws is its failure, and the next one goes on. */
  async check(title: string, test: () => Promise<void> | void): Promise<boolean> {
    try {
      await test();
    } catch (error) {
      if (error instanceof Skipped) {
        this.skip(title, error.message);
        return true;
      }
      this.fail(title, indented(error instanceof Error ? error.message : String(error)));
      return false;
    }
    this.pass(title);
    return true;
  }

  /** Undone when the lane ends, however it ends; the answer undoes it earlier. */
  onEnd(cleanup: () => Promise<void> | void): () => Promise<void> {
    this.cleanups.add(cleanup);
    return async () => {
      if (this.cleanups.delete(cleanup)) await cleanup();
    };
  }

  async end(): Promise<void> {
    const all = [...this.cleanups].toReversed();
    this.cleanups.clear();
    for (const cleanup of all) await cleanup();
  }
}

function after(transcript: string): string {
  return transcript === '' ? '' : `\n${transcript}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
