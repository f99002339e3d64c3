/**
 * The Go toolchain, for modules at the versions that `go/*` pins, by whatever module proxy the
 * environment has. Nothing here needs a C compiler unless it is asked for one.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Skipped } from './skipped.ts';

/** A folder per module. */
export const SOURCES = fileURLToPath(new URL('go/', import.meta.url));
const SMALL = '-s -w';

export interface BuildOptions {
  /** Flags of `go build`, beside those every build has. */
  readonly flags?: readonly string[];
  /** For the linker, beside `-s -w`. */
  readonly linker?: string;
  readonly cgo?: boolean;
  readonly timeoutMs?: number;
}

interface Outcome {
  readonly failed: boolean;
  /** The last lines of what it said. */
  readonly told: string;
  readonly output: string;
}

let found: { readonly path: string; readonly version: string } | undefined;

function go(): { readonly path: string; readonly version: string } {
  for (const path of found === undefined ? ['go', '/usr/local/go/bin/go'] : []) {
    const { status, stdout } = spawnSync(path, ['version'], { encoding: 'utf8' });
    if (status === 0) found ??= { path, version: stdout.trim() };
  }
  if (found === undefined) throw new Skipped('no Go toolchain here (https://go.dev/dl)');
  return found;
}

export function goVersion(): string {
  return go().version;
}

/** Builds packages of a module in `go/`, or its tools; throws Skipped with the last lines. */
export function buildModule(
  name: string,
  packages: readonly string[],
  into: string,
  { flags = [], linker = '', cgo = false, timeoutMs = 15 * 60_000 }: BuildOptions = {},
): void {
  const args = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-p=2', ...flags];
  const run = runGo(
    [...args, '-ldflags', `${SMALL} ${linker}`.trim(), '-o', `${into}/`, ...packages],
    join(SOURCES, name),
    { cgo, timeoutMs },
  );
  if (run.failed) throw new Skipped(`cannot build ${name}: ${run.told}`);
}

export function runGo(
  args: readonly string[],
  cwd: string,
  {
    cgo = false,
    timeoutMs = 15 * 60_000,
    env = {},
  }: {
    readonly cgo?: boolean;
    readonly timeoutMs?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Outcome {
  const { status, stdout, stderr, error } = spawnSync(go().path, args, {
    cwd,
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 64 * 1_024 * 1_024,
    env: { ...process.env, CGO_ENABLED: cgo ? '1' : '0', GOWORK: 'off', GOFLAGS: '', ...env },
  });
  if (status === 0) return { failed: false, told: '', output: stdout };
  const told = lastLines(error === undefined ? stderr : `${stderr ?? ''}\n${String(error)}`);
  return { failed: true, told, output: stdout ?? '' };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}

/** Builds do not take the machine from its user. */
export function beModest(): void {
  setPriority(10);
}
