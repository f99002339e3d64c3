/** Real kubectl, Helm and talosctl against the served twin: what they print is what counts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { ensureBuilt } from '../../../scripts/prepare.mjs';
import { obtainControlPlane, pinnedVersion } from '../api/software.ts';
import type { Cache } from '../cache.ts';
import type { RealChart } from '../charts/helm.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import { releasesFor } from '../charts/plans.ts';
import type { Ended } from '../command.ts';
import { buildModule } from '../go-tool.ts';
import type { Lane, Part } from '../lane.ts';
import { Skipped } from '../skipped.ts';
import { type ClientCommand, COMMANDS } from './commands.ts';
import { ServedTwin } from './served-twin.ts';

export const CLIENTS: Part = {
  name: 'clients',
  about: 'real kubectl, Helm and talosctl against the served twin',
  run: useClients,
};

const WATCH_MS = 8_000;
/** The watch is open by then, or hears of the pod in its first list. */
const BEFORE_CHANGE_MS = 2_000;
const IN_CHARTS = ['--namespace', 'kube-system'];

async function useClients(lane: Lane): Promise<void> {
  ensureBuilt();
  const { kubectl } = obtainControlPlane(lane.cache);
  const helm = obtainHelm(lane.cache);
  const talosctl = obtainTalosctl(lane);
  const charts = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const clients = { kubectl, helm, talosctl: talosctl ?? '' };
  const twin = await ServedTwin.start(clients, (started) => {
    lane.onEnd(() => started.end());
  });
  for (const command of COMMANDS) {
    const title = `${command.client} ${command.line}`;
    if (command.client === 'talosctl' && talosctl === undefined) continue;
    await lane.check(title, () => use(twin, command));
  }
  await lane.check('kubectl get pods --watch', () => watch(twin));
  for (const chart of charts.minors) {
    await lane.check(
      `helm install, upgrade, rollback and uninstall of chart ${chart.version}`,
      () => releaseLife(twin, chart),
    );
  }
}

/** Undefined, and said, where it cannot be had: the other clients go on. */
function obtainTalosctl(lane: Lane): string | undefined {
  try {
    return builtTalosctl(lane.cache);
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    lane.skip('talosctl', error.message);
    return undefined;
  }
}

function builtTalosctl(cache: Cache): string {
  const version = pinnedVersion('talosctl', 'github.com/siderolabs/talos');
  const variables = { Name: 'Talos', Tag: version };
  const linker = Object.entries(variables)
    .map(([name, value]) => `-X github.com/siderolabs/talos/pkg/machinery/version.${name}=${value}`)
    .join(' ');
  const directory = cache.built('talosctl', () =>
    buildModule('talosctl', ['tool'], cache.fresh, { linker, timeoutMs: 30 * 60_000 }),
  );
  return join(directory, 'talosctl');
}

async function use(
  twin: ServedTwin,
  { client, line, input, code = 0, prints }: ClientCommand,
): Promise<void> {
  const ended = await twin.run(client, line.split(' '), input === undefined ? {} : { input });
  expectEnd(ended, code);
  const printed = `${ended.stdout}\n${ended.stderr}`;
  for (const one of prints) {
    const is = typeof one === 'string' ? printed.includes(one) : one.test(printed);
    if (!is) throw new Error(`it does not print ${String(one)} but\n${printed.slice(0, 2_000)}`);
  }
}

function expectEnd({ code, stdout, stderr }: Ended, expected: number): void {
  if (code === expected) return;
  throw new Error(
    `exit ${code}, not ${expected}\n${`${stdout}\n${stderr}`.trim().slice(0, 2_000)}`,
  );
}

/** What happens while it watches is told; it is ended by us. */
async function watch(twin: ServedTwin): Promise<void> {
  const args = ['get', 'pods', '-n', 'default', '--watch', '--output-watch-events'];
  const watching = twin.run('kubectl', args, { timeoutMs: WATCH_MS });
  await sleep(BEFORE_CHANGE_MS);
  const made = await twin.run('kubectl', ['run', 'seen', '--image', 'example.com/seen:1']);
  expectEnd(made, 0);
  const { stdout } = await watching;
  for (const event of [/^ADDED +seen +0\/1 +Pending/m, /^MODIFIED +seen +1\/1 +Running/m]) {
    if (!event.test(stdout)) throw new Error(`it is not told ${String(event)} but\n${stdout}`);
  }
}

/** The real chart on the twin's nodes, with what regauge plans: beside Flannel, then in charge. */
async function releaseLife(twin: ServedTwin, chart: RealChart): Promise<void> {
  const [first, second] = releasesFor({}, chart.version);
  const upgrade = async (values: object | undefined): Promise<void> => {
    const args = ['upgrade', '--install', 'cilium', chart.directory, ...IN_CHARTS];
    const input = JSON.stringify(values ?? {});
    expectEnd(await twin.run('helm', [...args, '--values', '-'], { input }), 0);
  };
  const helm = async (...args: readonly string[]): Promise<Ended> => {
    const ended = await twin.run('helm', [...args, ...IN_CHARTS]);
    expectEnd(ended, 0);
    return ended;
  };
  await upgrade(first?.release);
  const args = ['rollout', 'status', 'daemonset/cilium', ...IN_CHARTS, '--timeout', '90s'];
  expectEnd(await twin.run('kubectl', args), 0);
  await upgrade(second?.release);
  await helm('rollback', 'cilium', '1');
  const { stdout } = await helm('history', 'cilium', '-o', 'json');
  const statuses = (JSON.parse(stdout) as readonly { status: string }[]).map(
    ({ status }) => status,
  );
  if (statuses.join(' ') !== 'superseded superseded deployed') throw new Error(statuses.join(' '));
  await helm('uninstall', 'cilium', '--wait', '--timeout', '90s');
}
