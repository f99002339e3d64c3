/** FM-10: new podSubnets that kube-controller-manager cannot start with. */
import { contains, parseCidr } from '../../base/cidr.ts';
import type { Cidr } from '../../base/cidr.ts';
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, judgedInPart, listOf, MISSING } from '../finding.ts';
import { statedList } from '../talos.ts';

export const hazard: Hazard = {
  id: 'pod-subnets-changed',
  covers: ['FM-10'],
  title: 'podSubnets that kube-controller-manager cannot start with',
  severity: 'critical',
  holdsFor: 'Talos 1.7 to 1.14; the same flag on other distributions',
  why: 'Talos hands podSubnets to kube-controller-manager as --cluster-cidr. Its node IPAM takes two ranges only of different families, and refuses to start when a node already has a range outside them. Then no node, endpoint or garbage is looked after any more.',
  references: [
    'talos:internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go@v1.13.9',
    'k8s:pkg/controller/nodeipam/node_ipam_controller.go',
    'k0sproject/k0s#5116',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return judgedInPart([], [MISSING.machineConfigs]);
  const stating = facts.machineConfigs.flatMap((config) => {
    const list = statedList(config, 'podSubnets');
    return list === undefined ? [] : [{ config, list }];
  });
  const patches = stating.filter(({ config }) => config.kind === 'patch');
  const doubled = stating.flatMap(({ list }) =>
    twice(list.value, evidenceAt(list.source, list.value)),
  );
  if (patches.length === 0) return judged(doubled);
  const held = heldRanges(facts);
  const left = patches.flatMap(({ list }) =>
    outside(list.value, evidenceAt(list.source, list.value), held),
  );
  return judgedInPart([...doubled, ...left], facts.nodes.known ? [] : [MISSING.nodes]);
}

function twice(texts: readonly string[], evidence: Evidence): readonly Finding[] {
  const cidrs = texts.flatMap((text) => parseCidr(text) ?? []);
  const families = [4, 6].filter(
    (family) => cidrs.filter((cidr) => cidr.family === family).length > 1,
  );
  if (families.length === 0) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `podSubnets holds more than one IPv${families.join(' and IPv')} range (${listOf(texts)}). kube-controller-manager refuses two ranges of one family ("not configured as dual stack") and crashes on every control plane.`,
      evidence: [evidence],
      fix: {
        summary:
          'One range per family: keep the old one, or a range that holds old and new. To keep a new pool from being taken for a node address, use validSubnets instead.',
      },
    }),
  ];
}

interface Held {
  readonly cidr: Cidr;
  readonly evidence: Evidence;
  readonly certain: boolean;
}

/** Ranges of nodes; where nodes were not read, what the whole configs say. */
function heldRanges(facts: ClusterFacts): readonly Held[] {
  if (facts.nodes.known) {
    return facts.nodes.value.flatMap(({ podCidrs, source }) =>
      podCidrs.flatMap((text) =>
        held(text, evidenceAt({ ...source, path: 'spec.podCIDRs' }, text), true),
      ),
    );
  }
  const whole = facts.machineConfigs.filter(({ kind }: MachineConfigFacts) => kind === 'config');
  return whole.flatMap((config) => {
    const list = statedList(config, 'podSubnets');
    if (list === undefined) return [];
    return list.value.flatMap((text) => held(text, evidenceAt(list.source, text), false));
  });
}

function held(text: string, evidence: Evidence, certain: boolean): readonly Held[] {
  const cidr = parseCidr(text);
  return cidr === undefined ? [] : [{ cidr, evidence, certain }];
}

function outside(
  texts: readonly string[],
  evidence: Evidence,
  all: readonly Held[],
): readonly Finding[] {
  const cidrs = texts.flatMap((text) => parseCidr(text) ?? []);
  const lost = all.filter(
    ({ cidr }) =>
      cidrs.some(({ family }) => family === cidr.family) &&
      !cidrs.some((range) => contains(range, cidr)),
  );
  if (lost.length === 0) return [];
  return [
    finding(hazard, {
      certainty: lost.every(({ certain }) => certain) ? 'proven' : 'likely',
      message: `The new podSubnets (${listOf(texts)}) do not hold ranges that are in use: ${listOf(lost.map(({ cidr }) => cidr.text))}. kube-controller-manager then refuses to start ("cidr ... is out the range of cluster cidr").`,
      evidence: firstOf([evidence, ...lost.map((entry) => entry.evidence)]),
      fix: {
        summary:
          'Leave podSubnets as they are: Cilium brings a pool of its own. Where they must change, use one range that holds both.',
      },
    }),
  ];
}
