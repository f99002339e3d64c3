/** FM-19: clustered software that knows its peers by address loses them when pods get new ones. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judgedInPart, MISSING, missingUnlessLive } from '../finding.ts';
import { imageName, nameOf, objectsOf, templates, textAt } from '../objects.ts';
import type { Template } from '../objects.ts';

export const hazard: Hazard = {
  id: 'peers-by-ip',
  covers: ['FM-19'],
  title: 'Clustered software that may know its peers by address',
  severity: 'high',
  holdsFor: 'Ceph monitors, Kafka, ZooKeeper, Patroni, Elasticsearch and OpenSearch, etcd in pods',
  why: 'A migration gives every pod a new address once. Software that keeps its members, listeners or leader by pod address, or caches names for long, can lose its quorum although every pod is Running, when several members move before the first has joined again.',
  references: [
    'rook/rook#12940',
    'rook/rook#5065',
    'rook:Documentation/CRDs/Cluster/network-providers.md',
    'rook/rook#17639',
  ],
  foretell,
  signs: { occurrences: [] },
};

interface Peer {
  readonly image: RegExp;
  readonly name: string;
  readonly quorum: string;
}

const PEERS: readonly Peer[] = [
  {
    image: /(^|\/)ceph(\/ceph)?$|(^|\/)rook\/ceph$|rook-ceph/,
    name: 'Ceph',
    quorum:
      'all monitors in quorum and all placement groups active+clean (`ceph status`); monitors are known by their Service addresses, so those must work on both sides',
  },
  {
    image: /kafka/,
    name: 'Kafka',
    quorum: 'no under-replicated partition, and every controller in the quorum',
  },
  { image: /zookeeper/, name: 'ZooKeeper', quorum: 'every member answers `srvr`, one is leader' },
  {
    image: /(^|\/)(spilo[^/]*|patroni|crunchy-postgres[^/]*|postgres-operator)$/,
    name: 'Patroni',
    quorum: 'one leader and every replica streaming (`patronictl list`)',
  },
  {
    image: /elasticsearch|opensearch/,
    name: 'Elasticsearch',
    quorum: 'cluster health green before the next member moves',
  },
  {
    image: /(^|\/)etcd$/,
    name: 'etcd',
    quorum: 'every member healthy (`etcdctl endpoint health`)',
  },
];

function foretell(facts: ClusterFacts): Foretelling {
  const findings = templates(facts).flatMap((template) => describe(facts, template));
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.workloads));
}

function describe(facts: ClusterFacts, template: Template): readonly Finding[] {
  const { owner, spec, replicas } = template;
  // On the host network the address stays; a single member has no peers.
  if (spec.hostNetwork === true || owner.value.kind === 'DaemonSet') return [];
  const peer = PEERS.find(({ image }) =>
    spec.containers.some((container) => image.test(imageName(container.image))),
  );
  if (peer === undefined || !hasPeers(facts, owner.value.kind, peer, replicas)) return [];
  return [
    finding(hazard, {
      certainty: 'possible',
      message: `${nameOf(owner.value)} runs ${peer.name}. Its pods get new addresses when their nodes are migrated; if its members know each other by pod address, moving the next one before the last has joined again costs its quorum.`,
      evidence: [
        evidenceAt(
          { ...owner.source, path: `${template.path}.containers` },
          spec.containers[0]?.image,
        ),
      ],
      fix: {
        summary: `Move its members one at a time, with a gate before the next: ${peer.quorum}.`,
      },
    }),
  ];
}

function hasPeers(
  facts: ClusterFacts,
  kind: string,
  peer: Peer,
  replicas: number | undefined,
): boolean {
  if (peer.name === 'Ceph') {
    const hosted = objectsOf(facts, 'CephCluster').some(
      (cluster) => textAt(cluster, 'spec.network.provider') === 'host',
    );
    return !hosted;
  }
  return kind === 'StatefulSet' ? (replicas ?? 1) > 1 : kind === 'Pod';
}
