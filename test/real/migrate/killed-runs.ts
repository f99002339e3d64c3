/** Runs of `regauge migrate` that are killed and gone on with, and how the cluster has to be in the end. */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REGAUGE } from '../clients/served-twin.ts';
import type { Ended } from '../command.ts';

const PATIENCE_MS = 900_000;

/** Where a person sits who changes the cluster. */
export interface Desk {
  /** The working directory; logs and state go there too. */
  readonly directory: string;
  readonly helm: string;
  environment(): Readonly<Record<string, string>>;
  run(client: 'regauge' | 'helm', args: readonly string[]): Promise<Ended>;
}

/** Into `plan/`. */
export async function makePlan(desk: Desk, version: string): Promise<void> {
  const args = ['plan', '--live', '--cilium-version', version, '--out', 'plan'];
  const { code, stderr } = await desk.run('regauge', args);
  assert.equal(code, 0, stderr);
}

/** Each with a state directory of its own, as on different machines. */
export class KilledRuns {
  private readonly desk: Desk;
  private readonly flags: readonly string[];
  private count = 0;

  constructor(desk: Desk, flags: readonly string[]) {
    this.desk = desk;
    this.flags = flags;
  }

  /** SIGKILL, unless it was done by then. */
  async killed(args: readonly string[], afterMs: number): Promise<void> {
    const { child, log, ended } = this.start(args);
    const first = await Promise.race([ended, sleep(afterMs, undefined)]);
    if (first === undefined) child.kill('SIGKILL');
    const code = await ended;
    assert.ok(first === undefined || code === 0, `ended by itself: exit ${code}\n${textOf(log)}`);
  }

  async finished(): Promise<void> {
    const { child, log, ended } = this.start(['--resume']);
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const code = await ended;
    clearTimeout(late);
    assert.equal(code, 0, textOf(log));
  }

  private start(args: readonly string[]): {
    readonly child: ChildProcess;
    readonly log: string;
    readonly ended: Promise<number>;
  } {
    this.count += 1;
    const { directory, helm } = this.desk;
    const log = join(directory, `migrate-${this.count}.log`);
    const env = {
      ...process.env,
      ...this.desk.environment(),
      HELM_BIN: helm,
      XDG_STATE_HOME: join(directory, `machine-${this.count}`),
    };
    const child = spawn(process.execPath, [REGAUGE, 'migrate', ...args, ...this.flags], {
      cwd: directory,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.pipe(createWriteStream(log));
    const ended = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? -1)));
    return { child, log, ended };
  }
}

function textOf(log: string): string {
  return readFileSync(log, 'utf8').slice(-2_000);
}

/** No pod is on the old network, every node is open, and Helm has one revision that counts. */
export async function wellAfter(desk: Desk): Promise<void> {
  const { stdout } = await desk.run('regauge', ['status', '-o', 'json']);
  const status = JSON.parse(stdout) as {
    readonly migration: { readonly state: string; readonly done: number; readonly total: number };
    readonly nodes: readonly {
      readonly name: string;
      readonly owner: string;
      readonly cordoned?: string;
    }[];
  };
  assert.equal(status.migration.state, 'done');
  assert.equal(status.migration.done, status.migration.total);
  const moved = new Set(['new', 'none']);
  const odd = status.nodes.filter(
    ({ owner, cordoned }) => !moved.has(owner) || cordoned !== undefined,
  );
  assert.ok(status.nodes.some(({ owner }) => owner === 'new'));
  assert.deepEqual(odd, []);
  const history = await desk.run('helm', ['history', 'cilium', '-n', 'kube-system', '-o', 'json']);
  const revisions = JSON.parse(history.stdout) as readonly { readonly status: string }[];
  assert.equal(revisions.filter(({ status: state }) => state === 'deployed').length, 1);
  assert.ok(
    revisions.every(({ status: state }) => state === 'deployed' || state === 'superseded'),
    history.stdout,
  );
}
