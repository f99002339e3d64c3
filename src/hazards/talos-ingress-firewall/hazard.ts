/** FM-25: Talos' ingress firewall drops the new overlay or the pods of the new range. */
import { contains, parseCidr } from '../../base/cidr.ts';
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts, MachineConfigFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { TUNNEL_PORTS } from '../../knowledge/cilium-versions.ts';
import { finding, judged, listOf, MISSING, unjudged } from '../finding.ts';
import { targetPools } from '../target.ts';

export const hazard: Hazard = {
  id: 'talos-ingress-firewall',
  covers: ['FM-25'],
  title: "Talos' ingress firewall blocks the new overlay",
  severity: 'critical',
  holdsFor: 'Talos 1.6 to 1.14 with NetworkDefaultActionConfig ingress: block',
  why: 'With the default action block a node accepts only what rules open, and what Talos adds by itself: a rule for pod and Service ranges made from podSubnets, and UDP 4789 where somebody opened it for Flannel. The tunnel port of Cilium, its health port and a pool outside podSubnets are none of these.',
  references: [
    'talos:internal/app/machined/pkg/controllers/network/nftables_chain_config.go@v1.10.5',
    'siderolabs/talos#12955',
    'devantler-tech/ksail#4364',
  ],
  foretell,
  signs: { occurrences: [] },
};

const HEALTH_PORT = 4240;

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return unjudged(MISSING.machineConfigs);
  const blocking = facts.machineConfigs.flatMap((config) => {
    const action = defaultAction(config);
    return action === undefined ? [] : [{ config, action }];
  });
  if (blocking.length === 0) return judged();
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(
    blocking.flatMap(({ config, action }) =>
      facts.targets.flatMap((target) => describe(facts, config, target, action)),
    ),
  );
}

function defaultAction({ input }: MachineConfigFacts): Located<unknown> | undefined {
  for (const { kind, tree } of input.documents) {
    const action = kind === 'NetworkDefaultActionConfig' ? tree.at('ingress') : undefined;
    if (action?.value === 'block') return action;
  }
  return undefined;
}

function describe(
  facts: ClusterFacts,
  config: MachineConfigFacts,
  target: TargetFacts,
  action: Located<unknown>,
): readonly Finding[] {
  const tunnel = tunnelPort(target);
  const shut = [
    ...(tunnel === undefined || isOpen(config, 'udp', tunnel)
      ? []
      : [`UDP ${tunnel} (the tunnel)`]),
    ...(isOpen(config, 'tcp', HEALTH_PORT) ? [] : [`TCP ${HEALTH_PORT} (health checks)`]),
    ...foreignPools(facts, config).map((pool) => `traffic from pods of ${pool}`),
  ];
  if (shut.length === 0) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `The node blocks what no rule opens, and nothing opens ${listOf(shut)}. Pods of Cilium reach only pods of their own node, or cannot reach the node itself (kubelet, host DNS).`,
      evidence: [evidenceAt(action.source, 'block')],
      fix: {
        summary: 'Open these on every node before the first one is migrated.',
        patch: `apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: cilium-tunnel\nportSelector:\n  ports: [${tunnel ?? TUNNEL_PORTS.vxlan}]\n  protocol: udp\ningress:\n  - subnet: <node network>\n---\napiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: cilium-health\nportSelector:\n  ports: [${HEALTH_PORT}]\n  protocol: tcp\ningress:\n  - subnet: <node network>\n`,
      },
    }),
  ];
}

/** Undefined when the target does not tunnel. */
function tunnelPort(target: TargetFacts): number | undefined {
  if (target.at('routingMode')?.value === 'native') return undefined;
  const port = target.at('tunnelPort')?.value;
  if (typeof port === 'number' && port > 0) return port;
  return target.at('tunnelProtocol')?.value === 'geneve' ? TUNNEL_PORTS.geneve : TUNNEL_PORTS.vxlan;
}

function isOpen({ input }: MachineConfigFacts, protocol: string, port: number): boolean {
  return input.documents.some(({ kind, tree }) => {
    if (kind !== 'NetworkRuleConfig') return false;
    if (tree.at('portSelector.protocol')?.value !== protocol) return false;
    const ports = tree.at('portSelector.ports')?.value;
    return Array.isArray(ports) && ports.some((entry) => holds(String(entry), port));
  });
}

/** `4240` or `4000-5000`. */
function holds(entry: string, port: number): boolean {
  const [low, high = low] = entry.split('-').map(Number);
  return low !== undefined && high !== undefined && low <= port && port <= high;
}

/** Pools outside the podSubnets that Talos' own rule is made from. */
function foreignPools(facts: ClusterFacts, { podSubnets }: MachineConfigFacts): readonly string[] {
  if (!podSubnets.known) return [];
  const subnets = podSubnets.value.flatMap((text) => parseCidr(text) ?? []);
  return targetPools(facts)
    .filter(({ cidr }) => !subnets.some((subnet) => contains(subnet, cidr)))
    .map(({ cidr }) => cidr.text);
}
