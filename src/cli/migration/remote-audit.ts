/**
 * The audit log at an address besides: lines of NDJSON, sent in their order, again until they are
 * taken, from a buffer that has an end. The file of this machine is the truth; nothing of a run waits
 * for this, since a step that waits in its middle is what an audit is to prevent. Where the log is
 * required, a receiver that is away holds the run up at its next safe point.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { RegaugeError } from '../../base/errors.ts';
import { redactText } from '../../base/redaction.ts';

/** What waits for the receiver: half a day of a large migration. */
const LINES_MAX = 20_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** Of one request. */
const BATCH_LINES = 500;
const BATCH_BYTES = 256 * 1024;
const DEADLINE_MS = 10_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** A receiver that is being restarted is back by then. */
const PATIENCE_MS = 30_000;
/** Before a run, nothing waits for it but a person. */
const BEGIN_MS = 5_000;
/** At the end of a run, what is left gets this long. */
const FAREWELL_MS = 10_000;

export interface RemoteAuditOptions {
  readonly url: URL;
  /** Sent as a bearer token; from the environment, since a flag is for everybody to read. */
  readonly token?: string;
  /** Whether a run may go on without it. */
  readonly isRequired: boolean;
  readonly now: () => number;
  /** Between two tries, or until a wait for something else has lasted too long. */
  readonly sleep?: (ms: number, signal: AbortSignal, why: 'retry' | 'limit') => Promise<void>;
  readonly deadlineMs?: number;
}

export interface RemoteAuditWatcher {
  /** What whoever watches the run should know. */
  say(message: string): void;
  /** The log is required, and is not taken. */
  pause(): void;
}

export class RemoteAudit {
  private readonly options: RemoteAuditOptions;
  private lines: string[] = [];
  private bytes = 0;
  /** Number of the first line that waits, from 1: a receiver tells by it what it has already. */
  private first = 1;
  /** Lines that came while the buffer was full. */
  private skipped = 0;
  private sending: Promise<void> | undefined;
  private failingSince: number | undefined;
  private failures = 0;
  private reason = '';
  private hasPaused = false;
  private watcher: RemoteAuditWatcher = { say: () => undefined, pause: () => undefined };
  private readonly over = new AbortController();

  constructor(options: RemoteAuditOptions) {
    this.options = options;
  }

  watch(watcher: RemoteAuditWatcher): void {
    this.watcher = watcher;
    if (this.failingSince !== undefined) this.tellTrouble();
  }

  /** A line with its newline, when the local file has it. Never waits, never fails. */
  send(line: string): void {
    if (this.over.signal.aborted) return;
    if (this.lines.length >= LINES_MAX || this.bytes >= BYTES_MAX) {
      this.skipped += 1;
      return;
    }
    if (this.skipped > 0) {
      const gap = `${JSON.stringify({ type: 'gap', lines: this.skipped })}\n`;
      this.skipped = 0;
      this.keep(gap);
    }
    this.keep(line);
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
  }

  /** Whether a first line is taken, before anything is changed: refuses where it must be and is not. */
  async begin(line: string): Promise<void> {
    this.send(line);
    if (!this.options.isRequired) return;
    await this.settled(BEGIN_MS);
    if (this.lines.length === 0) return;
    this.over.abort();
    throw new RegaugeError(
      'unreachable',
      `the audit log is not taken by ${this.place()}: ${this.reason}`,
      {
        hint: 'Nothing was changed. Without --audit-required the run goes on with the local log alone.',
      },
    );
  }

  /** Sends what is left, for a while; how many lines the receiver does not have. */
  async close(): Promise<number> {
    await this.settled(FAREWELL_MS);
    this.over.abort();
    return this.lines.length + this.skipped;
  }

  place(): string {
    return `${this.options.url.origin}${this.options.url.pathname}`;
  }

  private keep(line: string): void {
    this.lines.push(line);
    this.bytes += line.length;
  }

  /** Resolves when nothing waits any more, or after the time given. */
  private async settled(withinMs: number): Promise<void> {
    const waited = new AbortController();
    const timeUp = this.sleep(withinMs, waited.signal, 'limit');
    await Promise.race([this.sending ?? Promise.resolve(), timeUp]);
    waited.abort();
  }

  private async sendAll(): Promise<void> {
    while (this.lines.length > 0 && !this.over.signal.aborted) {
      const count = this.batch();
      const failure = await this.post(this.lines.slice(0, count));
      if (failure === undefined) this.taken(count);
      else await this.failed(failure);
    }
  }

  private batch(): number {
    let bytes = 0;
    let count = 0;
    for (const line of this.lines) {
      bytes += line.length;
      if (count > 0 && (count >= BATCH_LINES || bytes > BATCH_BYTES)) break;
      count += 1;
    }
    return count;
  }

  private taken(count: number): void {
    for (const line of this.lines.splice(0, count)) this.bytes -= line.length;
    this.first += count;
    if (this.failingSince !== undefined)
      this.watcher.say(`the audit log is taken again by ${this.place()}`);
    this.failingSince = undefined;
    this.failures = 0;
  }

  private async failed(reason: string): Promise<void> {
    const { now, isRequired } = this.options;
    this.reason = reason;
    if (this.failingSince === undefined) {
      this.failingSince = now();
      this.tellTrouble();
    }
    if (isRequired && !this.hasPaused && now() - this.failingSince >= PATIENCE_MS) {
      this.hasPaused = true;
      this.watcher.say('pausing at the next safe point: the audit log is required');
      this.watcher.pause();
    }
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? DEADLINE_MS;
    this.failures += 1;
    await this.sleep(wait, this.over.signal, 'retry');
  }

  private tellTrouble(): void {
    const goesOn = this.options.isRequired
      ? 'the run pauses if it stays so'
      : 'the run goes on, and the local log has everything';
    this.watcher.say(`the audit log is not taken by ${this.place()}: ${this.reason}; ${goesOn}`);
  }

  /** Undefined when they were taken; else why not. */
  private async post(lines: readonly string[]): Promise<string | undefined> {
    const { url, token, deadlineMs = DEADLINE_MS } = this.options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        body: lines.join(''),
        headers: {
          'Content-Type': 'application/x-ndjson',
          'Regauge-First-Line': String(this.first),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        // What is changed on a cluster is for this address alone.
        redirect: 'manual',
        signal: AbortSignal.any([this.over.signal, AbortSignal.timeout(deadlineMs)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      return redactText(whyOf(error));
    }
  }

  private sleep(ms: number, signal: AbortSignal, why: 'retry' | 'limit'): Promise<void> {
    const { sleep = defaultSleep } = this.options;
    return sleep(ms, signal, why);
  }
}

async function defaultSleep(ms: number, signal: AbortSignal): Promise<void> {
  await sleepFor(ms, undefined, { signal }).catch(() => undefined);
}

/** The cause is what says something: fetch itself says that it failed. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}

/** The address of the flag, without anything that is not for everybody's eyes. */
export function auditAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new RegaugeError('usage', `${redactText(text)} is no address for the audit log`, {
      hint: 'Give an http or https address, as https://audit.example.org/regauge is.',
    });
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new RegaugeError('usage', 'the address of the audit log holds more than a place', {
      hint: 'A flag is for everybody to read: put a bearer token into REGAUGE_AUDIT_TOKEN instead.',
    });
  }
  return url;
}
