/** FM-14: policies that the source CNI never enforced come alive with the target. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Certainty } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  count,
  evidenceIn,
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
  unjudged,
} from '../finding.ts';
import { nameOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'dormant-policies',
  covers: ['FM-14'],
  title: 'Network policies that were never enforced come alive',
  severity: 'high',
  holdsFor: 'Flannel without its policy sidecar as the source; Cilium 1.13 to 1.20',
  why: 'Flannel moves packets and ignores NetworkPolicies. Cilium enforces every policy that selects a pod from the moment the pod is its endpoint. Policies nobody ever tested drop traffic exactly when a node is migrated, and look like a network fault.',
  references: [
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
    'siderolabs/talos#4836',
    'flannel-io/flannel@6786470d',
    'siderolabs/talos@87615f551',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const policies = facts.workloads.policies.filter(({ value }) => value.kind === 'NetworkPolicy');
  if (policies.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.policies));
  const { sourceCni, flannel } = facts;
  if (!sourceCni.known) return unjudged(MISSING.sourceCni);
  if (sourceCni.value !== 'flannel') return judged();
  const enforces = flannel.known ? flannel.value.enforcesPolicies : undefined;
  if (enforces?.known === true && enforces.value) return judged();
  // `never` keeps them asleep for the time of the migration, which is what its recipe asks for.
  const modes = facts.targets.map((target) => target.at('policyEnforcementMode')?.value);
  if (modes.length > 0 && modes.every((mode) => mode === 'never')) return judged();
  const certainty: Certainty = enforces?.known === true && modes.length > 0 ? 'proven' : 'likely';
  const names = policies.map(({ value }) => nameOf(value));
  return judged([
    finding(hazard, {
      certainty,
      message: `${count(policies.length, 'NetworkPolicy', 'NetworkPolicies')} (${listOf(names)}) ${policies.length === 1 ? 'is' : 'are'} not enforced by ${sourceCni.value}. Cilium enforces a policy for each pod that becomes its endpoint, so traffic that always worked is dropped as nodes are migrated, one node after the other.`,
      evidence: firstOf(policies.map((policy) => evidenceIn(facts, policy, 'spec'))),
      fix: {
        summary:
          'Keep enforcement off during the migration, compare the policies with the traffic that is observed, then switch to audit and only then to default.',
        patch: 'policyEnforcementMode: never\n',
      },
    }),
  ]);
}
