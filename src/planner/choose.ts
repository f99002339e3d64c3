/** Takes every decision of a migration from the situation and what a person wants; or refuses. */
import { type ChartValues, isTable, valueAt } from '../knowledge/cilium-chart/values.ts';
import { chartProblems } from '../knowledge/cilium-chart/render.ts';
import { evidenceAt } from '../model/finding.ts';
import { budgetsWithoutRoom } from './budgets.ts';
import type { Choices } from './choices.ts';
import { chooseStrategy, strategyPerNode } from './choose-strategy.ts';
import { chooseVersion } from './choose-version.ts';
import { gitOwners } from './git-owners.ts';
import type { Intent } from './intent.ts';
import { nodeConfig, replacementConfig } from './node-config.ts';
import {
  exclusiveFor,
  legacyRoutingFor,
  noteVersions,
  policiesFor,
  tunnelPortFor,
} from './choose-data-path.ts';
import { poolFor } from './choose-pool.ts';
import { MASK_SIZE } from './pool.ts';
import { refusal } from './refusal.ts';
import { decide, type Notes, type Situation } from './situation.ts';
import { storageOf } from './storage.ts';
import { talosPatches } from './talos-patches.ts';
import { fixValues } from './values/fix-values.ts';
import { phaseValues } from './values/phase-values.ts';
import { LARGEST_SHARE, LARGEST_WAVE, wavesOf } from './waves.ts';

const RELEASE = { name: 'cilium', namespace: 'kube-system' } as const;

export function choose(situation: Situation, intent: Intent, notes: Notes): Choices | undefined {
  const version = chooseVersion(situation, intent, notes);
  if (version === undefined) return undefined;
  const given = situation.target?.values.value;
  const values = fixValues(
    isTable(given) ? given : {},
    version,
    situation,
    (path, choice, because) => decide(notes, path, choice, because),
  );
  const maskSize = Number(valueAt(values, 'ipam.operator.clusterPoolIPv4MaskSize') ?? MASK_SIZE);
  const pool = poolFor(situation, values, maskSize, intent, notes);
  const kubeProxyReplacement = replacementFor(situation, values, notes);
  checkEtcd(situation, intent, notes);
  if (pool === undefined || kubeProxyReplacement === undefined || notes.refusals.length > 0)
    return undefined;
  const phases = phaseValues(values, {
    version,
    pool,
    maskSize,
    tunnelPort: tunnelPortFor(situation, values, notes),
    exclusive: exclusiveFor(situation, values, notes),
    kubeProxyReplacement,
    replaceFromStart: !situation.kubeProxyPresent,
    hostLegacyRouting: legacyRoutingFor(situation, values, notes),
    policies: policiesFor(situation, intent, notes),
    directories: situation.adapter.directories,
    directoriesAfter: situation.adapter.afterOldCni,
    agentsAtATime: agentsAtATime(situation, values, notes),
  });
  if (!rendersAll(version, Object.values(phases), notes)) return undefined;
  noteVersions(situation, version, values, notes);
  const strategy = chooseStrategy(situation, intent, notes);
  const storage = storageOf(situation.facts);
  if (storage.single.length > 0) {
    decide(
      notes,
      'volumes with one replica',
      `${storage.single.length} accepted`,
      `${storage.single.slice(0, 5).join(', ')}: away while the instance manager of their node restarts; raise numberOfReplicas first to avoid it (FM-18)`,
    );
  }
  const withoutRoom = budgetsWithoutRoom(situation.facts);
  if (withoutRoom.length > 0) {
    decide(
      notes,
      'budgets without room',
      `pods of ${withoutRoom.join(', ')} restart in place`,
      'such a budget never allows an eviction, so waiting for it is waiting for ever (FM-17); a new sandbox keeps the pod where it is',
    );
  }
  return {
    version,
    namespace: RELEASE.namespace,
    release: RELEASE.name,
    pool,
    values: phases,
    kubeProxyReplacement:
      phases.replacing !== undefined || (kubeProxyReplacement && !situation.kubeProxyPresent),
    strategy,
    strategyOf: strategyPerNode(situation, strategy, notes),
    waves: wavesOf(situation, storage, {
      waveSize: intent.waveSize,
      etcdLeader: intent.etcdLeader,
    }),
    nodeConfig: nodeConfig(
      version,
      RELEASE.namespace,
      valueAt(phases.secondary, 'cni.exclusive') === true,
    ),
    replacementConfig:
      phases.replacing === undefined
        ? undefined
        : replacementConfig(version, RELEASE.namespace, {
            inCharge: phases.inCharge,
            replacing: phases.replacing,
          }),
    gitOwners: gitOwners(situation.facts, notes),
    budgetsWithoutRoom: withoutRoom,
    patches:
      situation.distribution === 'talos'
        ? talosPatches(situation.configs, situation.distributionVersion)
        : undefined,
    acceptApiOutage: intent.acceptApiOutage ?? false,
  };
}

/** The chart's two at a time take most of a day on a thousand nodes; running pods do not notice. */
function agentsAtATime(
  { nodes }: Situation,
  values: ChartValues,
  notes: Notes,
): number | undefined {
  const wanted = Math.min(LARGEST_WAVE, Math.ceil(nodes.length * LARGEST_SHARE));
  if (wanted <= 2 || valueAt(values, 'updateStrategy') !== undefined) return undefined;
  decide(
    notes,
    'updateStrategy',
    `${wanted} agents at a time`,
    `the chart restarts two at a time, one after the other over ${nodes.length} nodes; a restart does not touch running pods`,
  );
  return wanted;
}

/** Undefined when refused. */
function replacementFor(
  situation: Situation,
  values: ChartValues,
  notes: Notes,
): boolean | undefined {
  const wanted = String(valueAt(values, 'kubeProxyReplacement') ?? 'false') === 'true';
  const host = String(valueAt(values, 'k8sServiceHost') ?? '');
  if (!situation.kubeProxyPresent && !wanted) {
    decide(
      notes,
      'kubeProxyReplacement',
      'true from the start',
      'no kube-proxy runs, so nothing else would serve Services',
    );
  }
  const needed = wanted || !situation.kubeProxyPresent;
  if (needed && host === '') {
    notes.refusals.push(
      refusal({
        id: 'api-server-address-missing',
        covers: ['FM-06'],
        title: 'kube-proxy is to go, and the agent has no other way to the API',
        message:
          'Without kube-proxy no Service address works until the agent serves it, and the agent needs the API to start: k8sServiceHost and k8sServicePort are needed.',
        fix: 'Set k8sServiceHost and k8sServicePort to an address that needs no Service: a load balancer, or KubePrism on Talos.',
        references: ['cilium:Documentation/network/kubernetes/kubeproxy-free.rst@main'],
      }),
    );
    return undefined;
  }
  if (wanted && situation.kubeProxyPresent) {
    decide(
      notes,
      'kube-proxy',
      'replaced after all pods have moved',
      'replacing it while pods are on another CNI breaks load balancing to them (cilium#21579); bpf.masquerade waits with it, since it needs NodePort',
    );
  }
  return needed;
}

function checkEtcd({ controlPlanes, distribution }: Situation, intent: Intent, notes: Notes): void {
  if (distribution !== 'talos') return;
  if (controlPlanes.length === 2) {
    notes.refusals.push(
      refusal({
        id: 'etcd-two-voters',
        covers: ['FM-08'],
        title: 'etcd has two voters and cannot lose one',
        message:
          'Two members need both for a quorum: a control plane that does not come back takes the API with it, and with the API every way to put things right.',
        fix: 'Add a third control plane, or remove one, before the migration.',
        command: 'talosctl etcd members',
        evidence: controlPlanes.map(({ source, name }) => evidenceAt(source, name)),
      }),
    );
  }
  if (
    controlPlanes.length === 1 &&
    intent.strategy === 'reboot' &&
    intent.acceptApiOutage !== true
  ) {
    notes.refusals.push(
      refusal({
        id: 'etcd-one-voter',
        covers: ['FM-08'],
        title: 'The only control plane would reboot',
        message:
          'With one etcd voter the API is away while its node boots, and a node that does not come back takes the cluster with it.',
        fix: 'Leave --strategy out: pods change their network without a reboot.',
        command: 'talosctl etcd snapshot etcd.db',
        evidence: controlPlanes.map(({ source, name }) => evidenceAt(source, name)),
      }),
    );
  }
  if (controlPlanes.length === 1) {
    decide(
      notes,
      'etcd',
      'one voter',
      intent.strategy === 'reboot'
        ? 'the API is away while the control plane reboots, which was agreed to'
        : 'the control plane is not rebooted, so the API stays; back up etcd first (talosctl etcd snapshot)',
    );
  }
}

/** What the planner wrote must render, or it is of no use to anybody. */
function rendersAll(
  version: string,
  phases: readonly (ChartValues | undefined)[],
  notes: Notes,
): boolean {
  for (const values of phases) {
    if (values === undefined) continue;
    const [problem] = chartProblems(version, values);
    if (problem === undefined) continue;
    notes.refusals.push(
      refusal({
        id: 'values-do-not-render',
        covers: ['FM-01'],
        title: `Chart ${version} does not render the values`,
        message: `${problem.path}: ${problem.message}`,
        fix: 'Correct the value; regauge corrects only what has one meaning.',
      }),
    );
    return false;
  }
  return true;
}
