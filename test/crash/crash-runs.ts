/**
 * A migration on a twin whose executor is killed, and gone on with by another that knows nothing but
 * the cluster: with the lease, the record, the backups and all.
 */
import { canonicalJson } from '../../src/base/canonical-json.ts';
import { beginningOf, migrate } from '../../src/engine/run/migration.ts';
import { RunControl } from '../../src/engine/run/run-control.ts';
import type { RunResult } from '../../src/engine/run-plan.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { Plan } from '../../src/model/plan.ts';
import type { Ports } from '../../src/ports/index.ts';
import { createObserver, type ObservationReport } from '../../src/twin/observer/create-observer.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { createProber } from '../../src/twin/ports/prober.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { type Call, crashingPorts, type Kill } from './crashing-ports.ts';
import { differences, type EndState, endState } from './end-state.ts';

export interface CrashCase {
  readonly input: ClusterInput;
  readonly plan: Plan;
  /** Prefix of addresses of the new network. */
  readonly newPool: string;
}

export interface Crashed {
  readonly result: RunResult;
  readonly world: TwinWorld;
  readonly state: EndState;
  readonly report: ObservationReport;
  /** Changes that took effect, of all executors. */
  readonly effects: readonly Call[];
  /** Calls of the first executor. */
  readonly calls: readonly Call[];
  readonly kills: number;
}

/** Virtual time after the end, so that what is stuck shows. */
const SETTLE_MS = 60_000;

/** Each kill ends one executor; the last one runs to its end. */
export async function runKilled(
  { input, plan, newPool }: CrashCase,
  kills: readonly Kill[],
): Promise<Crashed> {
  const { world } = buildWorld(input, { seed: 1 });
  const prober = createProber(world);
  const observer = createObserver(world, prober);
  const ports: Ports = { ...createTwinPorts(world), prober };
  const effects: Call[] = [];
  const calls: Call[] = [];
  let killed = 0;
  const result = await world.kernel.drive(async () => {
    for (const kill of [...kills, undefined]) {
      const executor = crashingPorts(
        ports,
        kill,
        (call) => void (killed === 0 && calls.push(call)),
        (call) => void effects.push(call),
      );
      const ended = await Promise.race([
        execute(world, executor.ports, plan, killed),
        executor.killed,
      ]);
      if (ended !== 'killed') {
        await ports.clock.sleep(SETTLE_MS);
        return ended;
      }
      killed += 1;
    }
    throw new Error('the last executor was killed too');
  });
  return {
    result,
    world,
    state: endState(world, newPool),
    report: observer.finish(),
    effects,
    calls,
    kills: killed,
  };
}

/** The first one is given the plan, as every one is that finds none in the cluster. */
async function execute(
  world: TwinWorld,
  ports: Ports,
  plan: Plan,
  number: number,
): Promise<RunResult> {
  const { kernel } = world;
  const found = number === 0 ? undefined : await keptOr(ports, undefined);
  return migrate({
    plan: found ?? plan,
    ports,
    wallTime: () => kernel.epochMs + kernel.now(),
    holder: `executor-${number}`,
    control: new RunControl(),
    audit: { append: () => Promise.resolve() },
  });
}

async function keptOr(ports: Ports, fallback: Plan | undefined): Promise<Plan | undefined> {
  try {
    return (await beginningOf(ports.kubernetes, undefined)).plan;
  } catch {
    return fallback;
  }
}

/** What is wrong with how it ended, compared with a run that nobody killed; empty when nothing is. */
export function complaints(undisturbed: Crashed, crashed: Crashed): readonly string[] {
  const { result, report, state, effects } = crashed;
  const { summary } = report;
  const broken = report.invariants
    .filter(({ held }) => !held)
    .map(({ name, firstViolation }) => `${name}: ${firstViolation?.message ?? ''}`);
  const before = undisturbed.report.invariants
    .filter(({ held }) => !held)
    .map(({ name, firstViolation }) => `${name}: ${firstViolation?.message ?? ''}`);
  return [
    ...(result.outcome === 'done'
      ? []
      : [
          `ended ${result.outcome}: ${result.failed?.step ?? ''}: ${result.failed?.message ?? result.halted?.message ?? ''}`,
        ]),
    ...(summary.maxRestartsPerPod <= undisturbed.report.summary.maxRestartsPerPod
      ? []
      : [`a pod was restarted ${summary.maxRestartsPerPod} times`]),
    ...(summary.podsStuck === 0 ? [] : [`${summary.podsStuck} pods are stuck`]),
    ...broken.filter((name) => !before.includes(name)).map((name) => `invariant broken: ${name}`),
    ...repeated(effects).map((what) => `done twice: ${what}`),
    ...(deletedPods(crashed) <= deletedPods(undisturbed)
      ? []
      : [`${deletedPods(crashed)} pods were deleted, not ${deletedPods(undisturbed)}`]),
    ...differences(undisturbed.state, state),
  ];
}

/** Agents, that is: everything else is evicted or rolled out. */
function deletedPods({ effects }: Crashed): number {
  return effects.filter(({ method, subject }) => method === 'delete' && subject.startsWith('Pod '))
    .length;
}

/** Changes that must not come twice, by what they are done to. */
function repeated(effects: readonly Call[]): readonly string[] {
  const seen = new Map<string, number>();
  for (const call of effects) {
    const key = onceKey(call);
    if (key !== undefined) seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  return [...seen]
    .filter(([, times]) => times > 1)
    .map(([key, times]) => `${key} (${times} times)`);
}

function onceKey({ port, method, subject, args }: Call): string | undefined {
  if (port === 'helm') return `helm ${method} ${canonicalJson(args[0]).slice(0, 4000)}`;
  if (port === 'nodeHost' && method === 'reboot') return `reboot ${subject}`;
  if (port === 'nodeHost' && method === 'restartSandbox')
    return `sandbox ${args.slice(0, 3).join(' ')}`;
  if (port === 'nodeHost' && method === 'patchMachineConfig')
    return `config ${args.slice(0, 2).join(' ')}`;
  return undefined;
}
