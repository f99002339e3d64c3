/**
 * One run of Helm: no shell, a process group of its own, ended when the signal says so. It is over
 * when this returns, whatever happened; and it does not outlive us but by kill -9, which leaves an
 * upgrade to end by itself.
 */
import { execa } from 'execa';
import { RegaugeError } from '../../base/errors.ts';

export interface HelmRun {
  readonly args: readonly string[];
  /** Closed at once when absent. */
  readonly input?: string;
  /** Its reason is the error that a run which was ended fails with. */
  readonly signal: AbortSignal;
}

export interface HelmProgram {
  readonly binary: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** After a polite signal Helm writes down that its upgrade failed; then it has to go. */
const GRACE_MS = 10_000;
const OUTPUT_MAX = 64 * 2 ** 20;
const HAS_GROUPS = process.platform !== 'win32';
const INSTALL =
  'Install Helm 3.8 or later (https://helm.sh/docs/intro/install/), or name it with HELM_BIN.';

export async function runHelm(
  { binary, environment }: HelmProgram,
  { args, input, signal }: HelmRun,
): Promise<Ended> {
  signal.throwIfAborted();
  const child = execa(binary, args, {
    env: environment,
    extendEnv: false,
    reject: false,
    detached: HAS_GROUPS,
    cleanup: false,
    stripFinalNewline: false,
    maxBuffer: OUTPUT_MAX,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  const release = child.pid === undefined ? () => undefined : guard(child.pid);
  const end = child.pid === undefined ? () => undefined : endLater(child.pid, signal);
  try {
    const { exitCode, stdout, stderr, code, isMaxBuffer } = await child;
    if (exitCode === 0) return { exitCode, stdout, stderr };
    signal.throwIfAborted();
    const what = args.slice(0, 2).join(' ');
    if (isMaxBuffer) throw new RegaugeError('refused', `helm ${what} printed more than 64 MiB`);
    if (exitCode !== undefined) return { exitCode, stdout, stderr };
    throw child.pid === undefined ? notStarted(binary, code) : killed(what);
  } finally {
    end();
    release();
  }
}

function notStarted(binary: string, code: string | undefined): RegaugeError {
  const why =
    code === 'ENOENT'
      ? binary.includes('/')
        ? 'there is no such program'
        : 'it is not in PATH'
      : code === 'EACCES'
        ? 'it may not be run'
        : (code ?? 'it does not start');
  return new RegaugeError('bad-input', `Helm is needed, and ${binary} cannot be used: ${why}`, {
    hint: INSTALL,
  });
}

/** By somebody else: nobody knows what it did. */
function killed(what: string): RegaugeError {
  return new RegaugeError('unreachable', `helm ${what} was ended before it had said how it went`);
}

/** Asks the group to end when the signal says so, and ends it when it does not. */
function endLater(id: number, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    send(id, 'SIGTERM');
    timer = setTimeout(() => send(id, 'SIGKILL'), GRACE_MS);
  };
  signal.addEventListener('abort', onStop, { once: true });
  return () => {
    signal.removeEventListener('abort', onStop);
    clearTimeout(timer);
    // What it started and left behind (a credential plugin) is nobody's.
    if (timer !== undefined) send(id, 'SIGKILL');
  };
}

function send(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(HAS_GROUPS ? -id : id, signal);
  } catch {
    // It has ended meanwhile.
  }
}

const running = new Set<number>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A group of its own does not hear what ends us, so that it is told. */
function guard(id: number): () => void {
  if (running.size === 0) {
    process.on('exit', endAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  running.add(id);
  return () => {
    running.delete(id);
    if (running.size === 0) unguard();
  };
}

function unguard(): void {
  process.removeListener('exit', endAll);
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
}

function endAll(): void {
  for (const id of running) send(id, 'SIGTERM');
}

/** Who else listens decides what happens (and has the caller's signal for us); else we end by it. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  unguard();
  process.kill(process.pid, signal);
}
