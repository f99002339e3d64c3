/** FM-13: packets that fit the new network's devices do not fit the links between the nodes. */
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judgedInPart, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'mtu-budget',
  covers: ['FM-13'],
  title: "The pods' packets are larger than the links between the nodes carry",
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 in tunnel mode; Talos with KubeSpan or set link MTUs',
  why: 'VXLAN adds 50 bytes (70 over IPv6), WireGuard 60 to 80. Cilium takes the MTU of the link with the default route (the lowest of its devices from 1.17 on) or the one set, and does not see a smaller link further on. Small packets pass, large ones vanish: connections open and then hang.',
  references: [
    'hcloud-k8s/terraform-hcloud-kubernetes#450',
    'cilium:pkg/mtu/manager.go@main',
    'cilium/cilium#37919',
    'siderolabs/talos#6647',
  ],
  foretell,
  signs: { occurrences: [] },
};

/** Talos' default for the KubeSpan link. */
const KUBESPAN_MTU = 1420;

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  if (facts.machineConfigs.length === 0) {
    return unjudged('MTU of the links between the nodes (talosctl get links -o yaml)');
  }
  const links = facts.machineConfigs.flatMap(linkMtus);
  const kubespan = facts.machineConfigs.filter(
    ({ kubespanEnabled }) => kubespanEnabled.known && kubespanEnabled.value,
  );
  const underlay: readonly Located<number>[] = [
    ...links,
    ...kubespan.map(({ input }) => ({ value: KUBESPAN_MTU, source: input.source })),
  ];
  if (underlay.length === 0) return judgedInPart([], []);
  const smallest = underlay.reduce((low, link) => (link.value < low.value ? link : low));
  return judgedInPart(
    facts.targets.flatMap((target) => describe(target, smallest, kubespan.length > 0, links)),
    [],
  );
}

function describe(
  target: TargetFacts,
  smallest: Located<number>,
  kubespan: boolean,
  links: readonly Located<number>[],
): readonly Finding[] {
  const set = target.at('MTU');
  const room = smallest.value - overhead(target);
  if (typeof set?.value === 'number' && set.value > 0) {
    if (set.value <= smallest.value) return [];
    return [
      tooLarge(
        'proven',
        `MTU is set to ${set.value}, the MTU Cilium is to take for the network below it, but the smallest link between the nodes carries ${smallest.value}.`,
        [evidenceAt(set.source, set.value), evidenceAt(smallest.source, smallest.value)],
        smallest.value,
        room,
      ),
    ];
  }
  const largest = Math.max(...links.map(({ value }) => value), kubespan ? 1500 : 0);
  if (smallest.value >= largest) return [];
  const why = kubespan
    ? `KubeSpan carries the traffic between the nodes over a link of ${smallest.value}, and Cilium detects the MTU of the device with the default route.`
    : `The links of the nodes differ (${smallest.value} to ${largest}), and each node detects its own.`;
  const evidence = [smallest, ...links].map(({ source, value }) => evidenceAt(source, value));
  return [tooLarge('likely', why, firstOf(evidence), smallest.value, room)];
}

function tooLarge(
  certainty: 'proven' | 'likely',
  why: string,
  evidence: Finding['evidence'],
  mtu: number,
  room: number,
): Finding {
  return finding(hazard, {
    certainty,
    message: `${why} After the overlay's own bytes ${room} are left for a pod's packet; anything larger is dropped on the way, so connections open and then hang at the first full packet.`,
    evidence,
    fix: {
      summary: `Set the MTU of the network below explicitly, and restart pods that were made before: they keep the old one.`,
      patch: `MTU: ${mtu}\n`,
    },
  });
}

function overhead(target: TargetFacts): number {
  const routing = target.at('routingMode')?.value;
  const tunnel = routing === 'native' ? 0 : 50;
  const encrypted = target.at('encryption.enabled')?.value === true;
  return tunnel + (encrypted ? 80 : 0);
}

/** MTUs written in a machine config: v1alpha1 interfaces, and documents of links (>= 1.12). */
function linkMtus({ input }: ClusterFacts['machineConfigs'][number]): readonly Located<number>[] {
  return input.documents.flatMap(({ kind, tree }) => {
    if (kind !== 'v1alpha1') return numberAt(tree.at('mtu'));
    const interfaces = tree.at('machine.network.interfaces')?.value;
    if (!Array.isArray(interfaces)) return [];
    return interfaces.flatMap((_, index) =>
      numberAt(tree.at(['machine', 'network', 'interfaces', index, 'mtu'])),
    );
  });
}

function numberAt(located: Located<unknown> | undefined): readonly Located<number>[] {
  return typeof located?.value === 'number' && located.value > 0
    ? [{ value: located.value, source: located.source }]
    : [];
}
