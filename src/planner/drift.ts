/**
 * What is no longer as a plan found it, in words: the old and the new where the plan tells the old, and
 * what to do. A run that goes on looks only at what no step of a plan changes.
 */
import { valueOr } from '../model/fact.ts';
import type { ClusterFacts, NodeFacts } from '../model/facts.ts';
import type { Plan } from '../model/plan.ts';
import { fingerprintOf, steadyFingerprint } from './fingerprint.ts';
import type { Intent } from './intent.ts';
import { type Situation, situationOf } from './situation.ts';

export interface Drift {
  /** Name of the fact in the plan's fingerprint. */
  readonly fact: string;
  readonly message: string;
}

/** Nothing when the plan is for this state of this cluster; a target that is not given is not compared. */
export function driftFrom(plan: Plan, facts: ClusterFacts, intent: Intent = {}): readonly Drift[] {
  const other = otherCluster(plan, facts);
  if (other !== undefined) return [other];
  const notes = { decisions: [], refusals: [] };
  const situation = situationOf(facts, intent, notes);
  if (situation === undefined) {
    const why = notes.refusals.map(({ title }: { readonly title: string }) => title).join('; ');
    return [{ fact: 'cluster', message: `no plan could be made of it any more: ${why}` }];
  }
  const now = fingerprintOf(situation);
  return Object.entries(plan.fingerprint)
    .filter(([name]) => name !== 'target-values' || situation.target !== undefined)
    .filter(([name, hash]) => now[name] !== hash && !isPartial(name, hash, situation))
    .map(([fact]) => ({ fact, message: inWords(fact, plan, facts, situation) }));
}

/** For a run that goes on: what its own steps change is no drift, nor is a node that joined. */
export function driftUnderWay(plan: Plan, facts: ClusterFacts): readonly Drift[] {
  const other = otherCluster(plan, facts);
  if (other !== undefined) return [other];
  const known = new Set(plan.waves.flat());
  const nodes = valueOr(facts.nodes, []).filter(({ name }) => known.size === 0 || known.has(name));
  if (nodesLeft(plan, facts).length > 0) return addressDrift(plan, nodes);
  const now = steadyFingerprint(nodes, valueOr(facts.cluster.kubernetesVersion, undefined));
  return Object.entries(now)
    .filter(
      ([name, hash]) => plan.fingerprint[name] !== undefined && plan.fingerprint[name] !== hash,
    )
    .map(([fact]) => ({ fact, message: inWords(fact, plan, facts) }));
}

/** The hashes are of all nodes together: of those that are left, only the addresses can be compared. */
function addressDrift(plan: Plan, nodes: readonly NodeFacts[]): readonly Drift[] {
  const moved = movedNodes(plan, nodes);
  return moved.length === 0 ? [] : [{ fact: 'nodes', message: moved.join('; ') }];
}

/** Nodes of the plan that are not there any more; none where the nodes were not read. */
export function nodesLeft(plan: Plan, facts: ClusterFacts): readonly string[] {
  const now = new Set(valueOr(facts.nodes, []).map(({ name }) => name));
  return now.size === 0 ? [] : plan.waves.flat().filter((name) => !now.has(name));
}

/** Nodes the plan does not know. */
export function nodesJoined(plan: Plan, facts: ClusterFacts): readonly string[] {
  const known = new Set(plan.waves.flat());
  return valueOr(facts.nodes, [])
    .map(({ name }) => name)
    .filter((name) => known.size > 0 && !known.has(name));
}

function otherCluster({ cluster }: Plan, facts: ClusterFacts): Drift | undefined {
  const uid = valueOr(facts.cluster.uid, 'unknown');
  if (cluster.uid === 'unknown' || uid === 'unknown' || uid === cluster.uid) return undefined;
  return {
    fact: 'cluster',
    message: `the plan is for cluster ${cluster.name} (${cluster.uid}), and this is ${uid}`,
  };
}

/** A plan may have been made from the machine configs of some nodes only, or of none. */
function isPartial(fact: string, hash: string, situation: Situation): boolean {
  if (fact !== 'machine-configs') return false;
  const { configs } = situation;
  const ofControlPlanes = configs.filter(
    ({ machineType }) => machineType.known && machineType.value === 'controlplane',
  );
  return [[], configs.slice(0, 1), ofControlPlanes].some(
    (some) => fingerprintOf({ ...situation, configs: some })[fact] === hash,
  );
}

function inWords(fact: string, plan: Plan, facts: ClusterFacts, situation?: Situation): string {
  const nodes = valueOr(facts.nodes, []);
  switch (fact) {
    case 'nodes':
      return nodesInWords(plan, nodes);
    case 'os-versions':
      return `the nodes ran ${plan.platform.distribution} ${plan.platform.distributionVersion}, and run ${distinct(nodes.map(({ osImage }) => valueOr(osImage, 'an unknown system')))} now`;
    case 'runtimes':
      return `the container runtimes are ${distinct(nodes.map(({ runtime }) => (runtime.known ? `${runtime.value.name} ${runtime.value.version}` : 'unknown')))} now`;
    case 'kubernetes-version':
      return `Kubernetes was ${plan.platform.kubernetesVersion} and is ${valueOr(facts.cluster.kubernetesVersion, 'unknown')}`;
    case 'pod-cidrs':
      return `pods had ${plan.from.podCidrs.join(', ')} and have ${situation?.podCidrs.join(', ') ?? 'other ranges'}`;
    case 'service-cidrs':
      return `Services have ${situation?.serviceCidrs.join(', ') ?? 'other ranges'} now`;
    case 'kube-proxy':
      return `kube-proxy ${situation?.kubeProxyPresent === true ? 'runs now and did not' : 'ran and does not'}`;
    case 'flannel':
      return 'Flannel’s DaemonSet or its VXLAN port is another one';
    case 'machine-configs':
      return 'a Talos machine config says something else about the CNI, kube-proxy, subnets, DNS or KubePrism';
    case 'budgets':
      return `PodDisruptionBudgets were added, removed or changed; there are ${facts.workloads.budgets.length} now`;
    case 'target-values':
      return 'the Helm values that are wanted in the end are other ones';
    default:
      return 'it is not as it was';
  }
}

function nodesInWords(plan: Plan, nodes: readonly NodeFacts[]): string {
  const before = new Set(plan.waves.flat());
  const now = new Set(nodes.map(({ name }) => name));
  const joined = [...now].filter((name) => !before.has(name));
  const left = [...before].filter((name) => !now.has(name));
  const parts = [
    ...(joined.length === 0 ? [] : [`joined: ${short(joined)}`]),
    ...(left.length === 0 ? [] : [`gone: ${short(left)}`]),
    ...movedNodes(plan, nodes),
  ];
  return parts.length === 0 ? 'a node has another role or pod range' : parts.join('; ');
}

/** With another address than the plan remembers, in words. */
function movedNodes(plan: Plan, nodes: readonly NodeFacts[]): readonly string[] {
  const expected = addressesIn(plan);
  return nodes
    .filter(
      ({ name, internalIps }) => (expected[name] ?? internalIps).join() !== internalIps.join(),
    )
    .slice(0, 3)
    .map(
      ({ name, internalIps }) =>
        `${name} had ${expected[name]?.join(', ') ?? ''} and has ${internalIps.join(', ')}`,
    );
}

/** InternalIPs as the plan's gate on them remembers. */
function addressesIn({ steps }: Plan): Readonly<Record<string, readonly string[]>> {
  for (const { gates } of steps)
    for (const gate of gates) if (gate.kind === 'node-addresses-unchanged') return gate.expected;
  return {};
}

function distinct(values: readonly string[]): string {
  return short([...new Set(values)].toSorted());
}

function short(values: readonly string[]): string {
  return values.length <= 5
    ? values.join(', ')
    : `${values.slice(0, 5).join(', ')} and ${values.length - 5} more`;
}
