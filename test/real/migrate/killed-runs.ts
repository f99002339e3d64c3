/** Runs of `regauge migrate` that are killed and gone on with, and how the cluster has to be in the end. */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject, PodObject } from '../../../src/model/kubernetes.ts';
import { OWN_NAMESPACE_ADDRESS } from '../../../src/model/own-objects.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';
import { REGAUGE } from '../clients/served-twin.ts';
import type { Ended } from '../command.ts';

type Command = 'migrate' | 'rollback';

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

  /** SIGKILL so long after its first change, unless it was done by then. */
  async killed(args: readonly string[], afterMs: number): Promise<void> {
    const { child, log, ended } = this.start('migrate', args);
    const due = this.hasBegun(child).then(() => sleep(afterMs, undefined));
    const first = await Promise.race([ended, due]);
    if (first === undefined) child.kill('SIGKILL');
    const code = await ended;
    assert.ok(first === undefined || code === 0, `ended by itself: exit ${code}\n${textOf(log)}`);
  }

  async finished(): Promise<void> {
    await this.toTheEnd('migrate', ['--resume']);
  }

  /** From wherever the cluster is. */
  async takenBack(): Promise<void> {
    await this.toTheEnd('rollback', []);
  }

  /** Its audit log has a line, or it has ended. */
  private async hasBegun(child: ChildProcess): Promise<void> {
    while (child.exitCode === null && !hasAuditLog(this.stateDirectory())) await sleep(200);
  }

  private stateDirectory(): string {
    return join(this.desk.directory, `machine-${this.count}`);
  }

  private async toTheEnd(command: Command, args: readonly string[]): Promise<void> {
    const { child, log, ended } = this.start(command, args);
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const code = await ended;
    clearTimeout(late);
    assert.equal(code, 0, textOf(log));
  }

  private start(
    command: Command,
    args: readonly string[],
  ): {
    readonly child: ChildProcess;
    readonly log: string;
    readonly ended: Promise<number>;
  } {
    this.count += 1;
    const { directory, helm } = this.desk;
    const log = join(directory, `${command}-${this.count}.log`);
    const env = {
      ...process.env,
      ...this.desk.environment(),
      HELM_BIN: helm,
      XDG_STATE_HOME: this.stateDirectory(),
    };
    const child = spawn(process.execPath, [REGAUGE, command, ...args, ...this.flags], {
      cwd: directory,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.pipe(createWriteStream(log));
    const ended = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? -1)));
    return { child, log, ended };
  }
}

function hasAuditLog(directory: string): boolean {
  if (!existsSync(directory)) return false;
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).some(
    (path) => basename(path) === 'audit.ndjson' && statSync(join(directory, path)).size > 0,
  );
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

/** Flannel and kube-proxy are there, Cilium and regauge are not, and pods have Flannel's addresses. */
export async function backOnOld(port: KubernetesPort, range: RegExp): Promise<void> {
  const daemonSets = await port.list<KubeObject>('apps/v1', 'DaemonSet');
  const names = daemonSets.map(({ metadata }) => metadata.name).toSorted();
  assert.deepEqual(names, ['kube-flannel', 'kube-proxy']);
  const left = await port.get<KubeObject>(OWN_NAMESPACE_ADDRESS);
  assert.ok(left === undefined || left.metadata.deletionTimestamp !== undefined);
  const pods = await port.list<PodObject>('v1', 'Pod');
  const others = pods.filter(
    ({ spec, status }) => spec.hostNetwork !== true && !range.test(status.podIP ?? ''),
  );
  assert.deepEqual(
    others.map(({ metadata }) => metadata.name),
    [],
  );
}
