import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { deployment, node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const pool = object(
  'metallb.io/v1beta1',
  'IPAddressPool',
  'lan',
  {},
  { namespace: 'metallb-system' },
);
const values = 'l2announcements:\n  enabled: true\n';

test('MetalLB and L2 announcements', () => {
  expect(hazard.foretell(factsFrom({ values, objects: [node('w1'), pool] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          'MetalLB runs in this cluster and the values switch on l2announcements.enabled. Where both serve one address, its owner flaps between nodes and clients lose the connection each time.',
        evidence: [
          {
            source: 'values.yaml:2:12',
            file: 'values.yaml',
            path: 'l2announcements.enabled',
            line: 2,
            column: 12,
            value: true,
          },
          { source: 'IPAddressPool metallb-system/lan' },
        ],
        fix: {
          summary:
            'One announcer per address: keep it off in the target until MetalLB is gone, or split them with loadBalancerClass and move Services one by one.',
          patch: 'l2announcements:\n  enabled: false\n',
        },
      }),
    ]),
  );
});

test('near miss: MetalLB alone', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [node('w1'), pool] }))).toEqual(
    judged(),
  );
});

test('near miss: Cilium alone', () => {
  expect(hazard.foretell(factsFrom({ values, objects: [node('w1'), deployment('web')] }))).toEqual(
    judged(),
  );
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).not.toEqual([]);
});
