/** FM-16: an ipBlock that means pods or nodes matches nothing on Cilium. */
import { overlaps, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { Cidr } from '../../base/cidr.ts';
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import type { KubeObject, NetworkPolicyObject } from '../../model/kubernetes.ts';
import {
  evidenceIn,
  finding,
  firstOf,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { nameOf } from '../objects.ts';
import { targetPools } from '../target.ts';

export const hazard: Hazard = {
  id: 'ip-block-on-cluster-range',
  covers: ['FM-16'],
  title: 'An ipBlock that means pods or nodes matches nothing on Cilium',
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 (nodes can be matched with policyCIDRMatchMode from 1.15)',
  why: 'Cilium decides by identity. An ipBlock selects the world outside the cluster: it never matches a pod, and matches a node only with policyCIDRMatchMode nodes. Rules that name pod or node ranges, which iptables-based enforcers match by address, stop allowing what they allowed.',
  references: [
    'cilium/cilium#9209',
    'cilium/cilium#20550',
    'cilium/cilium#33525',
    'cilium:Documentation/network/kubernetes/policy.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: [] },
};

interface ClusterRange {
  readonly what: 'pods' | 'nodes';
  readonly cidr: Cidr;
}

function foretell(facts: ClusterFacts): Foretelling {
  const ranges = clusterRanges(facts);
  const findings = facts.workloads.policies.flatMap((policy) =>
    isNetworkPolicy(policy) ? describe(facts, policy, ranges) : [],
  );
  const missing = missingUnlessLive(facts, MISSING.policies, MISSING.nodes);
  return judgedInPart(findings, missing);
}

function isNetworkPolicy(
  policy: Located<NetworkPolicyObject | KubeObject>,
): policy is Located<NetworkPolicyObject> {
  return policy.value.kind === 'NetworkPolicy';
}

function clusterRanges(facts: ClusterFacts): readonly ClusterRange[] {
  const nodes = facts.nodes.known ? facts.nodes.value : [];
  const texts = facts.cluster.podCidrs.known ? facts.cluster.podCidrs.value : [];
  const pods = [...texts, ...nodes.flatMap(({ podCidrs }) => podCidrs)].flatMap(
    (text) => parseCidr(text) ?? [],
  );
  const addresses = matchesNodes(facts)
    ? []
    : nodes.flatMap(({ internalIps }) => internalIps.flatMap((text) => parseAddress(text) ?? []));
  return [
    ...[...pods, ...targetPools(facts).map(({ cidr }) => cidr)].map((cidr) => ({
      what: 'pods' as const,
      cidr,
    })),
    ...addresses.map((cidr) => ({ what: 'nodes' as const, cidr })),
  ];
}

/** Every target lets CIDR rules match nodes. */
function matchesNodes({ targets }: ClusterFacts): boolean {
  return (
    targets.length > 0 &&
    targets.every((target) => {
      const modes = target.at('policyCIDRMatchMode')?.value;
      return Array.isArray(modes) ? modes.includes('nodes') : modes === 'nodes';
    })
  );
}

function describe(
  facts: ClusterFacts,
  policy: Located<NetworkPolicyObject>,
  ranges: readonly ClusterRange[],
): readonly Finding[] {
  const hits = blocksOf(policy.value).flatMap(({ text, path }) => {
    const block = parseCidr(text);
    if (block === undefined) return [];
    const meant = ranges.filter(({ cidr }) => overlaps(block, cidr)).map(({ what }) => what);
    return meant.length === 0 ? [] : [{ text, block, path, meant: [...new Set(meant)] }];
  });
  if (hits.length === 0) return [];
  const wide = hits.every(({ block }) => block.prefix === 0);
  const meant = [...new Set(hits.flatMap((hit) => hit.meant))].toSorted();
  const evidence: Evidence[] = hits.map(({ text, path }) => evidenceIn(facts, policy, path, text));
  return [
    finding(hazard, {
      severity: wide ? 'medium' : 'high',
      certainty: wide ? 'possible' : 'proven',
      message: `${nameOf(policy.value)} names ${listOf([...new Set(hits.map(({ text }) => text))])}, which ${wide ? 'includes' : 'overlaps'} ${meant.join(' and ')} of this cluster. On Cilium an ipBlock selects only what is outside the cluster, so this rule does not allow traffic with ${meant.join(' and ')}${wide ? '; that matters if it was meant to' : ''}.`,
      evidence: firstOf(evidence),
      fix: {
        summary: `Say what is meant by selectors (podSelector, namespaceSelector), or for nodes and the API server by a CiliumNetworkPolicy with entities; for nodes alone policyCIDRMatchMode helps.`,
        ...(meant.includes('nodes') ? { patch: 'policyCIDRMatchMode: ["nodes"]\n' } : {}),
      },
    }),
  ];
}

function blocksOf({ spec }: NetworkPolicyObject) {
  const ingress = (spec.ingress ?? []).map(({ from = [] }) => ({ side: 'from', peers: from }));
  const egress = (spec.egress ?? []).map(({ to = [] }) => ({ side: 'to', peers: to }));
  return [
    { name: 'ingress', rules: ingress },
    { name: 'egress', rules: egress },
  ].flatMap(({ name, rules }) =>
    rules.flatMap(({ side, peers }, rule) =>
      peers.flatMap(({ ipBlock }, peer) =>
        ipBlock === undefined
          ? []
          : [{ text: ipBlock.cidr, path: ['spec', name, rule, side, peer, 'ipBlock', 'cidr'] }],
      ),
    ),
  );
}
