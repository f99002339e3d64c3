import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const dual = node('w1', { podCidrs: ['10.244.1.0/24', 'fd00:1::/64'] });

test('nodes with both, values with one', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [dual] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'Nodes have IPv6 pod ranges (fd00:1::/64), and ipv6.enabled is not set in these values. Pods get no IPv6 address from their restart on, and Services of that family lose their endpoints one by one.',
        evidence: [
          { source: 'values.yaml:1:1', file: 'values.yaml', line: 1, column: 1 },
          { source: 'Node w1', path: 'spec.podCIDRs', value: 'fd00:1::/64' },
        ],
        fix: {
          summary:
            'Switch IPv6 on from the first step, with a pool of its own. Families are not to be changed in the same migration.',
          patch: 'ipv6:\n  enabled: true\n',
        },
      }),
    ]),
  );
});

test('IPv6 alone is graver', () => {
  const only = node('w1', { podCidr: 'fd00:1::/64' });
  const [found] = hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [only] })).findings;
  expect(found?.severity).toBe('critical');
});

test('near miss: both are on', () => {
  const values = 'ipv6:\n  enabled: true\n';
  expect(hazard.foretell(factsFrom({ values, objects: [dual] }))).toEqual(judged());
});

test('near miss: a cluster of IPv4', () => {
  const objects = [node('w1', { podCidr: '10.244.1.0/24' })];
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', objects }))).toEqual(judged());
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n' })).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
