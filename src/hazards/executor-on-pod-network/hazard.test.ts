import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { deployment, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const flux = (hostNetwork: boolean) =>
  deployment('helm-controller', {
    namespace: 'flux-system',
    image: 'ghcr.io/fluxcd/helm-controller:v1.2.0',
    spec: { hostNetwork },
  });

test('Flux on the pod network', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), flux(false)] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'executor-on-pod-network',
        covers: ['FM-20'],
        severity: 'info',
        certainty: 'proven',
        title: hazard.title,
        message:
          'Deployment flux-system/helm-controller can install things in this cluster and runs on the pod network. If the CNI is delivered that way, the step that breaks the network also stops whatever would finish or undo it.',
        evidence: [{ source: 'Deployment flux-system/helm-controller' }],
        fix: {
          summary:
            'Run the migration from outside the cluster, against a control plane by its own address, with every image pulled before; hand the result to the repository afterwards.',
        },
        references: hazard.references,
      },
    ],
  });
});

test('near miss: on the host network', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), flux(true)] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
