/** FM-04, FM-73: the target's pool shares addresses with pods, Services or nodes that are there. */
import { overlaps, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { Cidr } from '../../base/cidr.ts';
import type { Fact } from '../../model/fact.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Certainty, Evidence, Finding, Severity } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { count, finding, firstOf, judgedInPart, listOf, MISSING, unjudged } from '../finding.ts';
import { targetPools } from '../target.ts';
import type { TargetPool } from '../target.ts';

export const hazard: Hazard = {
  id: 'pod-cidr-overlap',
  covers: ['FM-04', 'FM-73'],
  title: "The target's pod pool overlaps addresses that are in use",
  severity: 'critical',
  holdsFor: 'Cilium 1.13 to 1.20 in cluster-pool mode, every source CNI',
  why: "While both networks live, each routes what it believes to be its own. A pool that overlaps the old network's ranges gives two pods the same address; one that overlaps the Service range or the nodes' addresses takes that traffic into the overlay, and a tunnel whose far end lies inside the pool is sent through itself.",
  references: [
    'cilium/cilium#28266',
    'cilium/cilium#27090',
    'cilium:Documentation/network/concepts/ipam/cluster-pool.rst@main',
    'siderolabs/talos#9102',
  ],
  foretell,
  signs: { occurrences: [] },
};

interface Taken {
  readonly what: string;
  readonly ranges: readonly { readonly cidr: Cidr; readonly evidence: Evidence }[];
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly effect: string;
}

function foretell(facts: ClusterFacts): Foretelling {
  const pools = targetPools(facts).filter(({ target }) => !usesNodeRanges(target.at('ipam.mode')));
  if (pools.length === 0) return unjudged(MISSING.targetPool);
  const taken = [
    ...podRanges(facts),
    ...listed(facts.cluster.serviceCidrs, 'the Service range', {
      severity: 'critical',
      certainty: 'proven',
      effect:
        'A Service that gets an address which a pod has as well is unreachable from some nodes, and a route for a pod range swallows Service addresses.',
    }),
    ...nodeAddresses(facts),
  ];
  const missing = [
    ...(facts.nodes.known ? [] : [MISSING.nodes]),
    ...(facts.cluster.serviceCidrs.known ? [] : ['the Service range of the cluster']),
  ];
  return judgedInPart(
    pools.flatMap((pool) => taken.flatMap((range) => clash(pool, range))),
    missing,
  );
}

function usesNodeRanges(mode: { readonly value: unknown } | undefined): boolean {
  return mode?.value === 'kubernetes';
}

/** Ranges that pods of the source network have, or that new nodes would be given. */
function podRanges(facts: ClusterFacts): readonly Taken[] {
  if (facts.sourceCni.known && facts.sourceCni.value === 'cilium') return [];
  const nodes = facts.nodes.known ? facts.nodes.value : [];
  const allocated = nodes.flatMap(({ name, podCidrs, source }) =>
    podCidrs.flatMap((text) => {
      const cidr = parseCidr(text);
      const evidence = evidenceAt({ ...source, path: 'spec.podCIDRs' }, text);
      return cidr === undefined ? [] : [{ name, cidr, evidence }];
    }),
  );
  const effect =
    'Two pods, one of each network, get the same address, and each node sends the traffic for it to the pod it knows.';
  if (allocated.length === 0) {
    return listed(facts.cluster.podCidrs, "the source network's pod range", {
      severity: 'critical',
      certainty: 'likely',
      effect,
    });
  }
  const cluster = listed(facts.cluster.podCidrs, 'the range that new nodes get a pod range from', {
    severity: 'medium',
    certainty: 'possible',
    effect: 'A node that joins during the migration can be given a pod range that the target uses.',
  });
  const what = 'pod ranges of nodes';
  return [
    { what, ranges: allocated, severity: 'critical', certainty: 'proven', effect },
    ...cluster,
  ];
}

function listed(
  fact: Fact<readonly string[]>,
  what: string,
  judgement: Pick<Taken, 'severity' | 'certainty' | 'effect'>,
): readonly Taken[] {
  if (!fact.known) return [];
  const ranges = fact.value.flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr === undefined ? [] : [{ cidr, evidence: evidenceAt(fact.source, text) }];
  });
  return [{ what, ranges, ...judgement }];
}

function nodeAddresses(facts: ClusterFacts): readonly Taken[] {
  const nodes = facts.nodes.known ? facts.nodes.value : [];
  const ranges = nodes.flatMap(({ internalIps, source }) =>
    internalIps.flatMap((text) => {
      const cidr = parseAddress(text);
      const evidence = evidenceAt({ ...source, path: 'status.addresses' }, text);
      return cidr === undefined ? [] : [{ cidr, evidence }];
    }),
  );
  const effect =
    'Traffic to the node is taken into the overlay, and the tunnel to it is sent through itself ("dead loop on virtual device").';
  return [
    { what: 'addresses of nodes', ranges, severity: 'critical', certainty: 'proven', effect },
  ];
}

function clash({ cidr, source }: TargetPool, taken: Taken): readonly Finding[] {
  const hit = taken.ranges.filter((range) => overlaps(cidr, range.cidr));
  if (hit.length === 0) return [];
  const texts = hit.map((range) => range.cidr.text);
  return [
    finding(hazard, {
      severity: taken.severity,
      certainty: taken.certainty,
      message: `The pool ${cidr.text} overlaps ${taken.what}: ${listOf(texts)} (${count(hit.length, 'range')}). ${taken.effect}`,
      evidence: firstOf([evidenceAt(source, cidr.text), ...hit.map(({ evidence }) => evidence)]),
      fix: {
        summary:
          'Choose a pool that lies outside the pod ranges, the Service range, the node network and any VPN, and keep it for good: no step of the migration moves back.',
      },
    }),
  ];
}
