/** FM-15: policies that are enforced today are not enforced while the CNI is changed. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  count,
  evidenceIn,
  finding,
  firstOf,
  judged,
  judgedInPart,
  MISSING,
  missingUnlessLive,
  unjudged,
} from '../finding.ts';

export const hazard: Hazard = {
  id: 'policy-gap',
  covers: ['FM-15'],
  title: 'Isolation that is enforced today is switched off for the migration',
  severity: 'high',
  holdsFor: 'Calico, Canal, and Flannel with its policy sidecar as the source; Cilium 1.13 to 1.20',
  why: 'The documented migration runs with policyEnforcementMode never, since traffic of pods that Cilium does not know would be dropped. Where the source enforces policies, every migrated pod is open to everything until enforcement is switched on again, and nothing shows it.',
  references: [
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
    'cilium:Documentation/network/kubernetes/policy.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const { policies } = facts.workloads;
  if (policies.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.policies));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const enforced = sourceEnforces(facts);
  if (enforced === undefined) return unjudged('whether the source CNI enforces network policies');
  if (!enforced) return judged();
  return judged(
    facts.targets.flatMap((target) => {
      const mode = target.at('policyEnforcementMode');
      if (mode?.value !== 'never') return [];
      return [
        finding(hazard, {
          certainty: 'proven',
          message: `policyEnforcementMode is never, and ${count(policies.length, 'policy', 'policies')} of the cluster ${policies.length === 1 ? 'is' : 'are'} enforced today. From its restart on, a migrated pod accepts and sends everything until the mode is changed, and no probe, event or log shows it.`,
          evidence: firstOf([
            evidenceAt(mode.source, 'never'),
            ...policies.map((policy) => evidenceIn(facts, policy, 'spec')),
          ]),
          fix: {
            summary:
              'Agree on the window with whoever relies on the isolation, keep it short (one phase, with a gate that ends it), and watch it with probes that must fail. Clusters that cannot have a gap keep the old enforcer on the nodes that are not migrated and enforce with Cilium node by node.',
          },
        }),
      ];
    }),
  );
}

function sourceEnforces({ sourceCni, flannel }: ClusterFacts): boolean | undefined {
  if (!sourceCni.known) return undefined;
  if (sourceCni.value === 'calico' || sourceCni.value === 'canal') return true;
  if (sourceCni.value === 'none' || sourceCni.value === 'cilium') return false;
  // kindnet enforces policies in some releases and not in others.
  if (sourceCni.value === 'kindnet') return undefined;
  if (!flannel.known || !flannel.value.enforcesPolicies.known) return undefined;
  return flannel.value.enforcesPolicies.value;
}
