/** FM-09: Talos takes cilium_host for the node's own address. */
import { contains, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { Cidr } from '../../base/cidr.ts';
import type { ClusterFacts, MachineConfigFacts, NodeFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { DEFAULT_POD_SUBNETS } from '../../knowledge/talos-config/settings.ts';
import { finding, firstOf, judged, judgedInPart, listOf, MISSING } from '../finding.ts';
import { targetPools } from '../target.ts';
import type { TargetPool } from '../target.ts';
import { isTalos, missingTalos, stated, statedEvidence, statedList } from '../talos.ts';

export const hazard: Hazard = {
  id: 'pool-outside-pod-subnets',
  covers: ['FM-09'],
  title: "The pod pool lies outside Talos's podSubnets, so a pod address can become the node IP",
  severity: 'critical',
  holdsFor: 'Talos 1.7 to 1.14 with Cilium in cluster-pool mode',
  why: "Talos finds a node's own address among all global addresses of the host, without those in podSubnets and the Service range, sorted by number. Cilium puts an address of the pool on cilium_host. From a pool outside podSubnets it is a candidate, and where it sorts before the LAN address it becomes the node's InternalIP and, on a control plane at its next start, the address etcd tells its peers.",
  references: [
    'talos:internal/app/machined/pkg/controllers/k8s/nodeip.go@v1.10.5',
    'talos:internal/app/machined/pkg/controllers/k8s/address_filter.go@v1.10.5',
    'talos:internal/app/machined/pkg/controllers/network/internal/addressutil/compare.go@v1.10.5',
    'talos:internal/app/machined/pkg/controllers/etcd/spec.go@v1.10.5',
    'siderolabs/talos#4546',
    'siderolabs/talos#7586',
  ],
  foretell,
  signs: { occurrences: ['talos.node-ip-changed'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const pools = targetPools(facts).filter(({ cidr }) => cidr.family === 4);
  const missing = [...(pools.length === 0 ? [MISSING.targetPool] : []), ...missingTalos(facts)];
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true || pinned(facts)) return judged();
  const subnets = podSubnets(facts);
  const outside = pools.filter(
    ({ cidr }) => !subnets.ranges.some((range) => contains(range, cidr)),
  );
  if (outside.length === 0) return judged();
  return judgedInPart(
    outside.map((pool) => describe(facts, pool, subnets)),
    facts.nodes.known ? [] : [MISSING.nodes],
  );
}

/** A config or patch that names the LAN takes the choice away. */
function pinned({ machineConfigs }: ClusterFacts): boolean {
  const whole = machineConfigs.filter(({ kind }) => kind === 'config');
  const patched = machineConfigs.some((config) => config.kind === 'patch' && namesLan(config));
  return patched || (whole.length > 0 && whole.every(namesLan));
}

function namesLan(config: MachineConfigFacts): boolean {
  return (statedList(config, 'nodeIpValidSubnets')?.value.length ?? 0) > 0;
}

interface PodSubnets {
  readonly ranges: readonly Cidr[];
  readonly texts: readonly string[];
  /** Empty: nothing was read and Talos's default is taken. */
  readonly evidence: readonly Evidence[];
}

function podSubnets(facts: ClusterFacts): PodSubnets {
  const whole = facts.machineConfigs.filter(({ kind }) => kind === 'config');
  const lists = whole.flatMap((config) => statedList(config, 'podSubnets') ?? []);
  const [first] = lists;
  if (first !== undefined) {
    const texts = [...new Set(lists.flatMap(({ value }) => value))];
    return { ranges: ranges(texts), texts, evidence: [evidenceAt(first.source, first.value)] };
  }
  const { podCidrs } = facts.cluster;
  if (podCidrs.known) {
    const evidence = [evidenceAt(podCidrs.source, podCidrs.value)];
    return { ranges: ranges(podCidrs.value), texts: podCidrs.value, evidence };
  }
  return { ranges: ranges(DEFAULT_POD_SUBNETS), texts: DEFAULT_POD_SUBNETS, evidence: [] };
}

function ranges(texts: readonly string[]): readonly Cidr[] {
  return texts.flatMap((text) => parseCidr(text) ?? []);
}

function describe(facts: ClusterFacts, pool: TargetPool, subnets: PodSubnets): Finding {
  const nodes = facts.nodes.known ? facts.nodes.value : [];
  const flipping = nodes.filter((node) => sortsBefore(pool.cidr, node));
  const known = nodes.length > 0;
  const lucky = known && flipping.length === 0;
  return finding(hazard, {
    severity: lucky ? 'medium' : 'critical',
    certainty: known && subnets.evidence.length > 0 ? 'proven' : 'likely',
    message: `The pool ${pool.cidr.text} lies outside podSubnets (${listOf(subnets.texts)}${subnets.evidence.length === 0 ? ", Talos's default" : ''}), so the address that Cilium puts on cilium_host is a candidate for the node IP. ${outcome(known, flipping)}`,
    evidence: firstOf([
      evidenceAt(pool.source, pool.cidr.text),
      ...subnets.evidence,
      ...etcdEvidence(facts),
      ...flipping.map(({ source, internalIps }) =>
        evidenceAt({ ...source, path: 'status.addresses' }, internalIps),
      ),
    ]),
    fix: {
      summary:
        'Name the LAN of the nodes as the only valid subnet, on every node, and for etcd on control planes, before the first agent starts. Both are applied live. Do not add the pool to podSubnets: that stops kube-controller-manager.',
      patch:
        'machine:\n  kubelet:\n    nodeIP:\n      validSubnets: [10.0.1.0/24]\ncluster:\n  etcd:\n    advertisedSubnets: [10.0.1.0/24]\n',
    },
  });
}

function etcdEvidence({ machineConfigs }: ClusterFacts): readonly Evidence[] {
  return machineConfigs.flatMap((config) => {
    const found = stated(config, 'etcdAdvertisedSubnets');
    return found === undefined ? [] : [statedEvidence(found)];
  });
}

function outcome(known: boolean, flipping: readonly NodeFacts[]): string {
  if (!known) {
    return 'Candidates are sorted by number: with a LAN of 172.16.0.0/12 or 192.168.0.0/16, or a higher 10.x than the pool, it wins.';
  }
  if (flipping.length === 0) {
    return 'The addresses of the nodes sort before it, so nothing changes today; that is luck of the numbers, not a rule that protects them.';
  }
  return `It sorts before the address of ${listOf(flipping.map(({ name }) => name))}: their InternalIP becomes a pod address once the agent runs, kubelet restarts with it, and etcd peers follow at the next start.`;
}

function sortsBefore(pool: Cidr, node: NodeFacts): boolean {
  return node.internalIps.some((text) => {
    const address = parseAddress(text);
    return address?.family === 4 && pool.first < address.first;
  });
}
