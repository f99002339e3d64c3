/**
 * Facts and what a person wants, to a plan: pure and deterministic. Refuses with findings where no
 * plan would be safe; every choice it took is in `decisions`, every step says why it is there.
 */
import { contentHash } from '../base/canonical-json.ts';
import { parseCidr } from '../base/cidr.ts';
import { atLeast } from '../base/versions.ts';
import type { ClusterFacts } from '../model/facts.ts';
import { valueOr } from '../model/fact.ts';
import { type Plan, PHASES, type PlanPlatform, type Step } from '../model/plan.ts';
import { artifactsOf } from './artifacts.ts';
import { choose } from './choose.ts';
import type { Choices } from './choices.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Intent, PlanningResult } from './intent.ts';
import { flipRisk, lanOf } from './node-address.ts';
import { cleanUp } from './phases/clean-up.ts';
import { enforcePolicies } from './phases/enforce-policies.ts';
import { finalise } from './phases/finalise.ts';
import { installSecondary } from './phases/install-secondary.ts';
import { moveNodes } from './phases/move-nodes.ts';
import { type Pin, prepare } from './phases/prepare.ts';
import { removeOldCni } from './phases/remove-old-cni.ts';
import { replaceKubeProxy } from './phases/replace-kube-proxy.ts';
import { decide, type Notes, type Situation, situationOf } from './situation.ts';
import { lastOf } from './step.ts';
import { addressesPinned } from './talos-patches.ts';
import { unreadyBefore } from './unready.ts';
import { unsupported } from './unsupported.ts';

export function planMigration(facts: ClusterFacts, intent: Intent = {}): PlanningResult {
  const notes: Notes = { decisions: [], refusals: [] };
  const situation = situationOf(facts, intent, notes);
  if (situation !== undefined) notes.refusals.push(...unsupported(situation));
  const choices =
    situation === undefined || notes.refusals.length > 0
      ? undefined
      : choose(situation, intent, notes);
  if (situation === undefined || choices === undefined || notes.refusals.length > 0) {
    return { ok: false, refusals: notes.refusals };
  }
  const pin = pinFor(situation, choices, notes);
  noteAlways(situation, notes);
  const platform = platformOf(situation, choices);
  const steps = stepsOf(situation, choices, pin, platform);
  const plan = assemble(situation, choices, steps, platform, notes);
  return { ok: true, plan, artifacts: () => artifactsOf(plan) };
}

function stepsOf(
  situation: Situation,
  choices: Choices,
  pin: Pin | undefined,
  platform: PlanPlatform,
): readonly Step[] {
  const phases: readonly ((after: readonly string[]) => readonly Step[])[] = [
    (after) => installSecondary(situation, choices, after),
    (after) => moveNodes(situation, choices, after),
    (after) => finalise(situation, choices, after),
    (after) => replaceKubeProxy(situation, choices, after),
    (after) => removeOldCni(situation, choices, after),
    (after) => enforcePolicies(situation, choices, after),
    (after) => cleanUp(situation, choices, platform.cniConfDirectory, after),
  ];
  const first = prepare(situation, choices, pin);
  const steps: Step[] = [...first];
  let before: readonly string[] = first.map(({ id }) => id);
  for (const phase of phases) {
    const made = phase(before);
    steps.push(...made);
    before = lastOf(made, before);
  }
  return steps;
}

/** FM-09: only where the pool could be taken for a node address. */
function pinFor(situation: Situation, choices: Choices, notes: Notes): Pin | undefined {
  if (situation.distribution !== 'talos') return undefined;
  const pools = choices.pool.map(parseCidr).filter((cidr) => cidr !== undefined);
  const [pool] = pools;
  if (pool === undefined) return undefined;
  const pinned = addressesPinned(situation.configs);
  const { flips, because } = flipRisk({
    pool,
    podSubnets: situation.podCidrs,
    nodeAddresses: situation.nodeAddresses,
    pinned: valueOr(pinned, false),
  });
  if (!flips) {
    decide(notes, 'node addresses', 'not pinned', because);
    return undefined;
  }
  const old = situation.podCidrs.map(parseCidr).filter((cidr) => cidr !== undefined);
  const lan = lanOf(situation.nodeAddresses, [...pools, ...old]);
  decide(
    notes,
    'node addresses',
    `pinned to ${lan.join(', ')}`,
    `${because}: Talos would take Cilium's host address for the node's (FM-09); a machine that joins wants the same in its config`,
  );
  return { lan, because };
}

function noteAlways(situation: Situation, notes: Notes): void {
  notes.decisions.push(...(situation.adapter.notes ?? []));
  decide(
    notes,
    'operating system',
    'not upgraded',
    'one change at a time: an upgrade in the same go hides which of the two broke something (FM-62)',
  );
  if (situation.adapter.oldNetwork.cni === 'canal') noteCanal(situation, notes);
  if (situation.distribution === 'talos' && atLeast(situation.distributionVersion, '1.13.0')) {
    decide(
      notes,
      'upgrade-k8s',
      'not before the plan is through',
      'from 1.13 on it prunes what is no longer rendered: between cni none and the last pod’s move that is Flannel under running pods',
    );
  }
}

function noteCanal({ facts }: Situation, notes: Notes): void {
  decide(
    notes,
    'rules of Calico',
    'removed in the end, by name and by their hashes',
    'Felix leaves them when it ends; until then they match interfaces named cali*, and none is left',
  );
  if (facts.input.kindsListed?.includes('GlobalNetworkPolicy') === true) return;
  decide(
    notes,
    'policies of Calico’s own',
    'taken as none',
    'they were not read, and would be lost with Canal; kubectl get globalnetworkpolicies.crd.projectcalico.org,networkpolicies.crd.projectcalico.org -A tells',
  );
}

function platformOf(situation: Situation, { release, namespace }: Choices): PlanPlatform {
  const { adapter } = situation;
  return {
    distribution: situation.distribution,
    distributionVersion: situation.distributionVersion,
    kubernetesVersion: situation.kubernetesVersion,
    cniConfDirectory: adapter.directories.confDir,
    cniBinDirectory: adapter.directories.binDir,
    ...(adapter.afterOldCni === undefined ? {} : { afterOldCni: adapter.afterOldCni }),
    confDirectoryVolatile:
      situation.distribution === 'talos' && atLeast(situation.distributionVersion, '1.14.0'),
    release: { name: release, namespace },
  };
}

/** Failure modes the plan's order and gates keep from happening, by what guards them. */
const GUARDS = [
  'FM-01',
  'FM-02',
  'FM-03',
  'FM-04',
  'FM-06',
  'FM-08',
  'FM-09',
  'FM-11',
  'FM-12',
  'FM-14',
  'FM-17',
  'FM-18',
  'FM-21',
  'FM-22',
  'FM-27',
  'FM-35',
  'FM-44',
  'FM-52',
  'FM-53',
  'FM-54',
  'FM-55',
  'FM-62',
] as const;

function assemble(
  situation: Situation,
  choices: Choices,
  steps: readonly Step[],
  platform: PlanPlatform,
  notes: Notes,
): Plan {
  const guards = GUARDS.filter((mode) =>
    mode === 'FM-22' ? choices.values.replacing !== undefined : true,
  );
  const body = {
    apiVersion: 'regauge.dev/v1',
    kind: 'Plan',
    cluster: situation.cluster,
    fingerprint: fingerprintOf(situation),
    strategy: choices.strategy,
    from: { cni: situation.adapter.oldNetwork.cni, podCidrs: situation.podCidrs },
    to: {
      cni: 'cilium',
      version: choices.version,
      podCidrs: choices.pool,
      kubeProxyReplacement: choices.kubeProxyReplacement,
    },
    steps: steps.toSorted(
      (left, right) => PHASES.indexOf(left.phase) - PHASES.indexOf(right.phase),
    ),
    waves: choices.waves,
    guards,
    decisions: notes.decisions,
    platform,
    unreadyBefore: unreadyBefore(situation.facts),
  } as const;
  const hash = contentHash(body);
  const { apiVersion, kind, ...rest } = body;
  return {
    apiVersion,
    kind,
    id: `plan-${hash.slice('sha256:'.length, 'sha256:'.length + 10)}`,
    hash,
    ...rest,
  };
}
