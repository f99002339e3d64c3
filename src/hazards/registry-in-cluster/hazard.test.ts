import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { deployment, node, service } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const shop = (image: string) => deployment('shop', { image });

test('a registry behind a Service', () => {
  const objects = [node('w1'), shop('registry.infra.svc.cluster.local:5000/shop:1')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          "Deployment default/shop pulls from registry.infra.svc.cluster.local:5000, a registry inside the cluster. Evicted pods that need an image from it cannot start on a node that does not have the image while the registry's own pod is moving or out of reach.",
        evidence: [
          {
            source: 'Deployment default/shop',
            path: 'spec.template.spec.containers',
            value: 'registry.infra.svc.cluster.local:5000',
          },
        ],
        fix: {
          summary:
            'Pull the images to every node before the first is drained, and move the registry last; what the plan itself needs must come from outside.',
        },
      }),
    ]),
  );
});

test('a ClusterIP as the host', () => {
  const registry = service('registry', { clusterIP: '10.96.7.7' });
  const objects = [node('w1'), registry, shop('10.96.7.7:5000/shop:1')];
  expect(hazard.foretell(factsFrom({ objects })).findings).toHaveLength(1);
});

test.each(['ghcr.io/shop/shop:1', 'library/nginx:1', 'nginx'])('near miss: %s', (image) => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), shop(image)] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
