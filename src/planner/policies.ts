/** NetworkPolicies as the planner needs them: which of them are enforced today. */
import type { ClusterFacts } from '../model/facts.ts';
import type { NetworkPolicyObject } from '../model/kubernetes.ts';

/** None where the old network ignores policies, or where that is not known. */
export function enforcedPolicies({
  flannel,
  workloads,
}: ClusterFacts): readonly NetworkPolicyObject[] {
  if (!flannel.known) return [];
  const { enforcesPolicies } = flannel.value;
  if (!enforcesPolicies.known || !enforcesPolicies.value) return [];
  return workloads.policies.flatMap(({ value }) =>
    value.kind === 'NetworkPolicy' && value.apiVersion === 'networking.k8s.io/v1'
      ? [value as NetworkPolicyObject] // kind and group say so
      : [],
  );
}
