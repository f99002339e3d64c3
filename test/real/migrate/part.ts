/**
 * `regauge migrate` as a user runs it, on the served twin: real processes, real Helm, and SIGKILL. It is
 * killed twice and finished from a machine that has neither the plan nor any file of the first runs.
 */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../../../scripts/prepare.mjs';
import { Random } from '../../../src/base/random.ts';
import { obtainControlPlane } from '../api/software.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import { REGAUGE, ServedTwin } from '../clients/served-twin.ts';
import type { Lane, Part } from '../lane.ts';
import { Skipped } from '../skipped.ts';

export const MIGRATE: Part = {
  name: 'migrate',
  about: 'migrate on the served twin, killed twice and finished from elsewhere',
  run: migrateKilled,
};

const CILIUM = '1.18.';
/** A migration of seven nodes at this speed takes two to four minutes. */
const SPEED = '60';
const KILLED_AFTER_MS = { least: 25_000, most: 90_000 };
const PATIENCE_MS = 900_000;

async function migrateKilled(lane: Lane): Promise<void> {
  ensureBuilt();
  const { kubectl } = obtainControlPlane(lane.cache);
  const helm = obtainHelm(lane.cache);
  const charts = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const chart = charts.minors.find(({ version }) => version.startsWith(CILIUM));
  if (chart === undefined) throw new Skipped(`there is no chart of Cilium ${CILIUM}x`);
  const twin = await ServedTwin.start(
    { kubectl, helm, talosctl: '' },
    (started) => lane.onEnd(() => started.end()),
    SPEED,
  );
  const random = new Random(lane.options.seed);
  const runs = new Runs(twin, ['--yes', '--chart', chart.directory]);
  const wait = (): number =>
    KILLED_AFTER_MS.least + random.unit() * (KILLED_AFTER_MS.most - KILLED_AFTER_MS.least);
  await lane.check('a plan is made of the served twin', () => makePlan(twin, chart.version));
  await lane.check('migrate is killed', () => runs.killed(['plan/plan.json'], wait()));
  await lane.check('going on is killed too, and waited for the lease of the dead one', () =>
    runs.killed(['--resume'], wait()),
  );
  rmSync(join(twin.directory, 'plan'), { recursive: true, force: true });
  await lane.check('it is finished without any file of before', () => runs.finished());
  await lane.check('every node is on the new network, open, and Helm has no revision twice', () =>
    wellAfter(twin),
  );
}

async function makePlan(twin: ServedTwin, version: string): Promise<void> {
  const args = ['plan', '--live', '--cilium-version', version, '--out', 'plan'];
  const { code, stderr } = await twin.run('regauge', args);
  assert.equal(code, 0, stderr);
}

/** Runs of `migrate`, each with a state directory of its own, as on different machines. */
class Runs {
  private readonly twin: ServedTwin;
  private readonly flags: readonly string[];
  private count = 0;

  constructor(twin: ServedTwin, flags: readonly string[]) {
    this.twin = twin;
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
    const { directory } = this.twin;
    const log = join(directory, `migrate-${this.count}.log`);
    const env = {
      ...process.env,
      ...this.twin.environment(),
      HELM_BIN: this.twin.helm,
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

async function wellAfter(twin: ServedTwin): Promise<void> {
  const { stdout } = await twin.run('regauge', ['status', '-o', 'json']);
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
  const odd = status.nodes.filter(
    ({ owner, cordoned }) => owner !== 'new' || cordoned !== undefined,
  );
  assert.deepEqual(odd, []);
  const history = await twin.run('helm', ['history', 'cilium', '-n', 'kube-system', '-o', 'json']);
  const revisions = JSON.parse(history.stdout) as readonly { readonly status: string }[];
  assert.equal(revisions.filter(({ status: state }) => state === 'deployed').length, 1);
  assert.ok(
    revisions.every(({ status: state }) => state === 'deployed' || state === 'superseded'),
    history.stdout,
  );
}
