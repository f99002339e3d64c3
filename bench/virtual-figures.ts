/**
 * Figures in virtual time: how long a migration takes, against the documented procedure on the same twin
 * and against the lower bound of its own plan, and whether workloads with a budget were ever away.
 */
import { readFileSync } from 'node:fs';
import { planFor, play, rehearse, stageFor } from '../src/cli/rehearsal-session.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { ClusterInput } from '../src/model/cluster-input.ts';
import { controllerOf } from '../src/model/kubernetes.ts';
import type { Plan } from '../src/model/plan.ts';
import { showSeconds } from '../src/report/duration.ts';
import { budgetsOf } from '../src/twin/controllers/disruption.ts';
import { isPodReady } from '../src/twin/kubelet/pod-status.ts';
import { expandCluster } from '../src/twin/scenario/expand-cluster.ts';
import { largeCluster } from '../src/twin/scenario/large-cluster.ts';
import { readClusterSpec } from '../src/twin/scenario/read-spec.ts';
import { POD_COUNT } from '../src/twin/store/pod-changes.ts';
import type { TwinWorld } from '../src/twin/scenario/build-world.ts';
import { documentedProcedure } from './documented-procedure.ts';
import { lowerBound, type Replacement, type Span } from './lower-bound.ts';
import { type Figure, ratioFigure } from './table.ts';

const SCENARIO = 'scenarios/post-mortem';
const LONGEST_SECONDS = 30 * 60;
const AGAINST_DOCUMENTED = 0.5;
const AGAINST_BOUND = 1.15;

export async function virtualFigures(large: {
  readonly nodes: number;
}): Promise<readonly Figure[]> {
  return [...(await smallFigures()), await largeFigure(large)];
}

async function smallFigures(): Promise<readonly Figure[]> {
  const input = readTarget(
    expandCluster(readClusterSpec(read(`${SCENARIO}/cluster.yaml`), 'cluster.yaml')),
    `${SCENARIO}/target.yaml`,
    '1.16.5',
  );
  const { plan } = planFor(input);
  const { summary, outcome } = (await rehearse({ input, plan })).rehearsal;
  const [documented = 0, once = 0] = await Promise.all(
    [true, false].map(async (rebootsAgain) => {
      const runbook = documentedProcedure({ ...documentedCluster(plan), rebootsAgain });
      return (await rehearse({ input, runbook })).run.seconds;
    }),
  );
  const own = summary.makespanSeconds;
  const { count, outageSeconds } = summary.coveredWorkloads ?? {
    count: 0,
    outageSeconds: { max: Infinity },
  };
  return [
    {
      what: 'virtual: makespan of the 7-node migration',
      measured: showSeconds(own),
      toReach: `≤ ${showSeconds(LONGEST_SECONDS)}`,
      reached: outcome === 'clean' && own <= LONGEST_SECONDS,
    },
    ratioFigure(
      'virtual: the same, against the documented procedure typed without a pause',
      own / documented,
      AGAINST_DOCUMENTED,
      ` (${showSeconds(own)} / ${showSeconds(documented)}; ${(own / once).toFixed(2)} × without its second round of reboots, which leaves what the old network left)`,
    ),
    {
      what: `virtual: outage of ${count} workloads with a budget and 2 pods or more`,
      measured: showSeconds(outageSeconds.max),
      toReach: '0 s',
      reached: count > 0 && outageSeconds.max === 0,
    },
  ];
}

/** What the guide leaves to the reader is as the plan has it: the values, and the node config. */
function documentedCluster({ steps, waves, to }: Plan) {
  const [secondary = {}, inCharge = {}, replacing = {}] = steps.flatMap(({ action }) =>
    'values' in action ? [action.values] : [],
  );
  const [nodeConfig = {}] = steps.flatMap(({ action }) =>
    action.kind === 'apply-objects'
      ? action.objects.filter(({ kind }) => kind === 'CiliumNodeConfig')
      : [],
  );
  const nodes = waves.flat();
  return {
    nodes,
    version: to.version,
    secondary,
    inCharge,
    replacing,
    nodeConfig: { ...nodeConfig },
  };
}

async function largeFigure({ nodes }: { readonly nodes: number }): Promise<Figure> {
  const input = readTarget(
    expandCluster(largeCluster({ nodes, pods: nodes * 30 })),
    'test/fixtures/large-target.yaml',
    '1.17.8',
  );
  const { plan } = planFor(input);
  const stage = stageFor(input, 1);
  const replacements = watchReplacements(stage.world);
  const spans = new Map<string, Span>();
  let firstStepAt: number | undefined;
  const { rehearsal } = await play(stage, {
    plan,
    onEvent: (event) => {
      if (event.type !== 'step') return;
      firstStepAt ??= event.at;
      const from = event.state === 'started' ? event.at : (spans.get(event.step)?.from ?? event.at);
      spans.set(event.step, { from, to: event.at });
    },
  });
  const { makespanSeconds, podsStuck } = rehearsal.summary;
  const bound = lowerBound(plan, spans, replacements, firstStepAt ?? 0);
  const figure = ratioFigure(
    `virtual: makespan with ${nodes.toLocaleString('en')} nodes against its lower bound`,
    makespanSeconds / bound,
    AGAINST_BOUND,
    ` (${showSeconds(makespanSeconds)} / ${showSeconds(bound)}; ${rehearsal.outcome}, ${podsStuck} pods stuck)`,
  );
  return { ...figure, reached: figure.reached === true && rehearsal.outcome === 'clean' };
}

/** Fills the list while the world runs: of a workload, the first pod that goes is the first replaced. */
function watchReplacements({ store, kernel }: TwinWorld): readonly Replacement[] {
  const found: Replacement[] = [];
  const budgets = budgetsOf(store);
  const left = new Map<string, (Omit<Replacement, 'seconds'> & { readonly at: number })[]>();
  const coming = new Map<string, Omit<Replacement, 'seconds'> & { readonly at: number }>();
  store.watchPods({ parts: POD_COUNT }, ({ type, object, old }) => {
    const workload = controllerOf(object)?.kind === 'ReplicaSet' ? controllerOf(object)?.uid : '';
    if (workload === undefined || workload === '') return;
    const { uid = '', deletionTimestamp } = object.metadata;
    if (type === 'added') {
      const gone = left.get(workload)?.shift();
      if (gone !== undefined) coming.set(uid, gone);
    } else if (deletionTimestamp !== undefined && old?.metadata.deletionTimestamp === undefined) {
      const [budget] = budgets.of(object);
      if (type !== 'modified' || budget === undefined) return;
      // Counted before this one went.
      const { expectedPods, desiredHealthy } = budgets.allowance(budget);
      const allowed = Math.max(1, expectedPods - desiredHealthy);
      const gone = { node: object.spec.nodeName ?? '', workload, allowed, at: kernel.now() };
      left.set(workload, [...(left.get(workload) ?? []), gone]);
    } else if (isPodReady(object)) {
      const gone = coming.get(uid);
      coming.delete(uid);
      if (gone === undefined) return;
      const { at, ...rest } = gone;
      found.push({ ...rest, seconds: (kernel.now() - at) / 1000 });
    }
  });
  return found;
}

function readTarget(input: ClusterInput, path: string, ciliumVersion: string): ClusterInput {
  const { helmValues } = readInput([{ path: 'target.yaml', text: read(path) }], { ciliumVersion });
  return { ...input, helmValues };
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}
