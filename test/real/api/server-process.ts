/**
 * A program that serves until it is ended: its output goes to a file of its own, readiness is waited
 * for with a bound, and it ends by its id. Nothing of it outlives the lane.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 200;
const GRACE_MS = 10_000;
const LAST_LINES = 15;

export class ServerProcess {
  private readonly child: ChildProcess;
  private readonly name: string;
  private readonly log: string;
  private readonly ended: Promise<void>;

  constructor(name: string, binary: string, args: readonly string[], log: string) {
    this.name = name;
    this.log = log;
    const output = openSync(log, 'a');
    this.child = spawn(binary, args, { stdio: ['ignore', output, output] });
    closeSync(output);
    this.ended = new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', () => resolve());
    });
  }

  /** Until `ready` holds; with the end of its output when it never does. */
  async whenReady(ready: () => Promise<boolean>, boundMs: number): Promise<void> {
    const end = performance.now() + boundMs;
    while (!(await ready().catch(() => false))) {
      if (this.child.exitCode !== null) throw this.failure(`ended with ${this.child.exitCode}`);
      if (performance.now() > end) throw this.failure(`was not ready after ${boundMs / 1_000} s`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const tooLong = new AbortController();
    const late = sleep(GRACE_MS, undefined, { signal: tooLong.signal }).then(
      () => this.child.kill('SIGKILL'),
      () => false,
    );
    await this.ended;
    tooLong.abort();
    await late;
  }

  private failure(what: string): Error {
    const lines = readFileSync(this.log, 'utf8').trim().split('\n').slice(-LAST_LINES);
    return new Error(`${this.name} ${what}:\n${lines.join('\n')}`);
  }
}

/** Ports that are free now; programs that take none of their own choice are told them. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
