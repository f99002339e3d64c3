/** FM-60: an aggregated API whose backend the API server cannot reach stalls discovery. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { backendNetwork } from '../backends.ts';
import { finding, judgedInPart, missingUnlessLive } from '../finding.ts';
import { objectsOf, textAt } from '../objects.ts';

export const hazard: Hazard = {
  id: 'aggregated-api-on-pod-network',
  covers: ['FM-60'],
  title: 'An aggregated API is served from the pod network',
  severity: 'medium',
  holdsFor: 'every Kubernetes version with apiregistration.k8s.io/v1',
  why: 'The API server proxies an aggregated API to pods it dials from the host network. While they are out of reach, discovery is incomplete: namespaces stay Terminating, autoscalers freeze, and kubectl and Helm print errors or stop.',
  references: [
    'kubernetes-sigs/metrics-server#744',
    'cilium/cilium#13406',
    'kubernetes/kubernetes#83332',
    'tigera/operator#4103',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const findings = objectsOf(facts, 'APIService').flatMap((api): readonly Finding[] => {
    const namespace = textAt(api, 'spec.service.namespace');
    const name = textAt(api, 'spec.service.name');
    if (namespace === undefined || name === undefined) return [];
    const backend = backendNetwork(facts, { namespace, name });
    if (backend === 'host') return [];
    const path = 'spec.service';
    return [
      finding(hazard, {
        certainty: backend === 'pod' ? 'proven' : 'likely',
        message: `APIService ${api.object.metadata.name} is served by pods behind Service ${namespace}/${name} on the pod network. In the phase in which the control planes and those pods are on different networks, or while they move, it is unavailable, and every step that needs discovery stalls with it.`,
        evidence: [evidenceAt(api.tree.at(path)?.source ?? api.source, `${namespace}/${name}`)],
        fix: {
          summary:
            'Move its backend together with the control planes, or run it on the host network meanwhile; gates must not depend on it.',
        },
      }),
    ];
  });
  return judgedInPart(
    findings,
    missingUnlessLive(facts, 'aggregated APIs (kubectl get apiservices -o json)'),
  );
}
