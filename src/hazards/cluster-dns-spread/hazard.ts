/** FM-12: the cluster's DNS servers all go down with one node. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { evidenceIn, finding, judged, MISSING, unjudged } from '../finding.ts';
import { nameOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'cluster-dns-spread',
  covers: ['FM-12'],
  title: 'Cluster DNS can be left without a ready server',
  severity: 'high',
  holdsFor: 'CoreDNS and kube-dns, every distribution',
  why: 'Every pod resolves names through the pods behind Service kube-dns. When they run once, or all on one node, the whole cluster is without DNS from the moment that node is drained until the replacement is pulled, started and Ready.',
  references: ['cilium/cilium#6839', 'cilium/cilium#11444', 'cilium/cilium#9145'],
  foretell,
  signs: { occurrences: ['dns.no-ready-server'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.cluster.hasLiveObjects) return unjudged(MISSING.workloads);
  const servers = facts.workloads.deployments.filter(
    ({ value }) =>
      value.spec.template.metadata?.labels?.['k8s-app'] === 'kube-dns' ||
      value.metadata.labels?.['k8s-app'] === 'kube-dns',
  );
  if (servers.length === 0) return unjudged('the Deployment behind Service kube-system/kube-dns');
  const schedulable = facts.nodes.known ? facts.nodes.value.length : 0;
  const findings = servers.flatMap((server): readonly Finding[] => {
    const replicas = server.value.spec.replicas ?? 1;
    if (replicas < 2) return [single(facts, server, replicas)];
    const nodes = nodesOf(facts, server.value.metadata.namespace);
    if (nodes.length < 2 || new Set(nodes).size > 1 || schedulable < 2) return [];
    return [crowded(facts, server, nodes)];
  });
  return judged(findings);
}

type Server = ClusterFacts['workloads']['deployments'][number];

function single(facts: ClusterFacts, server: Server, replicas: number): Finding {
  return finding(hazard, {
    certainty: 'proven',
    message: `${nameOf(server.value)} runs ${replicas === 1 ? 'one replica' : `${replicas} replicas`}. From the moment its node is drained until a replacement is Ready on another node, no pod of the cluster resolves a name.`,
    evidence: [evidenceIn(facts, server, 'spec.replicas', replicas)],
    fix: {
      summary: 'Run at least two replicas on different nodes, one on each side of the change.',
      command: `kubectl -n ${server.value.metadata.namespace ?? 'kube-system'} scale deployment ${server.value.metadata.name} --replicas=3`,
    },
  });
}

function crowded(facts: ClusterFacts, server: Server, nodes: readonly string[]): Finding {
  return finding(hazard, {
    certainty: 'proven',
    message: `All ${nodes.length} replicas of ${nameOf(server.value)} run on node ${nodes[0]}. Draining it evicts them together, and no pod of the cluster resolves a name until one of the replacements is Ready.`,
    evidence: [evidenceIn(facts, server, 'spec.replicas', nodes.length)],
    fix: {
      summary: `Spread the replicas before node ${nodes[0]} is touched: require anti-affinity by host name, then restart the Deployment once.`,
      patch:
        'spec:\n  template:\n    spec:\n      affinity:\n        podAntiAffinity:\n          requiredDuringSchedulingIgnoredDuringExecution:\n            - topologyKey: kubernetes.io/hostname\n              labelSelector:\n                matchLabels:\n                  k8s-app: kube-dns\n',
    },
  });
}

function nodesOf(facts: ClusterFacts, namespace: string | undefined): readonly string[] {
  return facts.workloads.pods.flatMap(({ value }) =>
    value.metadata.namespace === namespace &&
    value.metadata.labels?.['k8s-app'] === 'kube-dns' &&
    value.spec.nodeName !== undefined
      ? [value.spec.nodeName]
      : [],
  );
}
