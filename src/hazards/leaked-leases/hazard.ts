/** FM-64: addresses that host-local holds for pods that are gone. */
import { parseAddress } from '../../base/cidr.ts';
import type { DirectoryListing } from '../../model/cluster-input.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judgedInPart, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'leaked-leases',
  covers: ['FM-64'],
  title: 'Addresses are held for pods that are gone',
  severity: 'medium',
  holdsFor: 'the host-local plugin (Flannel, Canal, kindnet) under containerd 1.6 to 2.3',
  why: 'host-local keeps one file per address on disk. containerd tears a pod down with the conf that is loaded now: after the switch the old plugin is never called, and the file stays. Rolling back to the old network then finds its range used up, or hands out an address twice.',
  references: [
    'truth:L06',
    'truth:L12',
    'containernetworking/plugins#252',
    'k3s-io/k3s#5885',
    'kubernetes/kubernetes#57280',
  ],
  foretell,
  signs: { occurrences: ['host-local.lease-leaked'] },
};

const DIRECTORY = /^\/var\/lib\/cni\/networks\/([^/]+)\/?$/;
/** Addresses of a /24 that host-local gives out: all but network, broadcast and gateway. */
const USABLE = 253;

function foretell(facts: ClusterFacts): Foretelling {
  const listings = facts.listings.filter(({ directory }) => DIRECTORY.test(directory));
  if (listings.length === 0) {
    return unjudged('address files of a node (talosctl ls /var/lib/cni/networks/cbr0)');
  }
  if (!facts.cluster.hasLiveObjects) return unjudged(MISSING.pods);
  const addresses = podAddresses(facts);
  const missing: string[] = [];
  const findings = listings.flatMap((listing): readonly Finding[] => {
    if (!listing.node.known) {
      missing.push(`the node of the listing of ${listing.directory}`);
      return [];
    }
    return describe(listing, listing.node.value, addresses.get(listing.node.value) ?? new Set());
  });
  return judgedInPart(findings, missing);
}

function podAddresses(facts: ClusterFacts): ReadonlyMap<string, ReadonlySet<string>> {
  const byNode = new Map<string, Set<string>>();
  for (const { value } of facts.workloads.pods) {
    const { nodeName, hostNetwork } = value.spec;
    const { podIP, podIPs = [] } = value.status;
    if (nodeName === undefined || hostNetwork === true) continue;
    const held = byNode.get(nodeName) ?? new Set();
    for (const ip of [podIP, ...podIPs.map((entry) => entry.ip)]) {
      if (ip !== undefined) held.add(ip);
    }
    byNode.set(nodeName, held);
  }
  return byNode;
}

function describe(
  { directory, entries, source }: DirectoryListing,
  node: string,
  live: ReadonlySet<string>,
): readonly Finding[] {
  const files = entries.map(({ name }) => name).filter((name) => parseAddress(name) !== undefined);
  const leaked = files.filter((name) => !live.has(name));
  if (leaked.length === 0) return [];
  const network = DIRECTORY.exec(directory)?.[1] ?? '';
  return [
    finding(hazard, {
      severity: files.length * 2 > USABLE ? 'high' : 'medium',
      certainty: 'proven',
      message: `On node ${node} ${leaked.length} of ${files.length} addresses of network ${network} are held for pods that no longer have them: ${listOf(leaked)}. They are not given out again. A node that goes back to this network has that many fewer, and a /24 has ${USABLE}.`,
      evidence: [evidenceAt(source, leaked.slice(0, 12))],
      fix: {
        summary: `Before the node is handed back to ${network}, remove the files of addresses that no sandbox has; leave "lock" and "last_reserved_ip.0" alone.`,
        command: `rm ${leaked
          .slice(0, 12)
          .map((name) => `${directory.replace(/\/$/, '')}/${name}`)
          .join(' ')}`,
      },
    }),
  ];
}
