/**
 * Policies that the old network enforces, while pods are on both. What a moved pod sends to the old network
 * comes with its node's address, which no selector of pods matches, so a policy that lets it in by its labels
 * drops it. For that time each such policy has a companion that lets the nodes in as well: policies add up
 * (kubernetes.io: NetworkPolicy), and Cilium enforces none meanwhile.
 */
import type { KubeObject, NetworkPolicyObject } from '../../model/kubernetes.ts';
import { type Gate, selectorOf } from '../../model/plan.ts';
import { enforcedPolicies } from '../policies.ts';
import type { Situation } from '../situation.ts';
import type { StepParts } from '../step.ts';

type Part = Omit<StepParts, 'after'>;

export function openCrossings(situation: Situation): readonly Part[] {
  const objects = companions(situation);
  if (objects.length === 0) return [];
  const { title } = situation.adapter.oldNetwork;
  return [
    {
      phase: 'install-secondary',
      name: 'open-crossings',
      title: `Let the nodes in where ${objects.length === 1 ? 'a policy selects' : `${objects.length} policies select`} pods of ${title}`,
      action: { kind: 'apply-objects', objects },
      scope: 'none',
      worst:
        'until pods have moved, those that policies protect accept what comes with a node’s address',
      undo: 'inverse',
      because: `pods that have moved come to those that have not behind the addresses of nodes, and ${title} would drop them (FM-15)`,
    },
  ];
}

export function closeCrossings(situation: Situation, gates: readonly Gate[]): readonly Part[] {
  const objects = companions(situation);
  if (objects.length === 0) return [];
  return [
    {
      phase: 'finalise',
      name: 'close-crossings',
      title: 'Take away the policies that let the nodes in',
      action: { kind: 'delete-objects', objects: objects.map(selectorOf) },
      gates,
      scope: 'none',
      worst: 'nothing: no pod is on the old network any more',
      undo: { kind: 'apply-objects', objects },
      because: 'Cilium knows every pod by its labels now',
    },
  ];
}

function companions(situation: Situation): readonly KubeObject[] {
  const peers = situation.nodeAddresses
    .filter((address) => !address.includes(':'))
    .map((address) => ({ ipBlock: { cidr: `${address}/32` } }));
  return enforcedPolicies(situation.facts)
    .filter(restrictsIngress)
    .map(({ metadata, spec }) =>
      companion(metadata.namespace ?? 'default', metadata.name, {
        podSelector: spec.podSelector ?? {},
        policyTypes: ['Ingress'],
        ingress: [{ from: peers }],
      }),
    );
}

function companion(
  namespace: string,
  name: string,
  spec: NetworkPolicyObject['spec'],
): NetworkPolicyObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: `regauge-crossing-${name}`,
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'regauge' },
    },
    spec,
  };
}

function restrictsIngress({ spec }: NetworkPolicyObject): boolean {
  return spec.policyTypes === undefined || spec.policyTypes.includes('Ingress');
}
