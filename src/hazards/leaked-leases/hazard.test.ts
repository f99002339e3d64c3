import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, pod } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const directory = '/var/lib/cni/networks/cbr0';
const listed = (...names: string[]) => [
  { node: 'w1', directory, files: Object.fromEntries(names.map((name) => [name, null])) },
];

test('an address without a pod', () => {
  const facts = factsFrom({
    objects: [node('w1'), pod('a', { node: 'w1', ip: '10.244.1.5' })],
    confs: listed('10.244.1.5', '10.244.1.6', 'lock', 'last_reserved_ip.0'),
  });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'On node w1 1 of 2 addresses of network cbr0 are held for pods that no longer have them: 10.244.1.6. They are not given out again. A node that goes back to this network has that many fewer, and a /24 has 253.',
        evidence: [
          {
            source: 'listing.txt:1:1',
            file: 'listing.txt',
            line: 1,
            column: 1,
            value: ['10.244.1.6'],
          },
        ],
        fix: {
          summary:
            'Before the node is handed back to cbr0, remove the files of addresses that no sandbox has; leave "lock" and "last_reserved_ip.0" alone.',
          command: 'rm /var/lib/cni/networks/cbr0/10.244.1.6',
        },
      }),
    ]),
  );
});

test('a range that is half gone is graver', () => {
  const names = Array.from({ length: 130 }, (_, index) => `10.244.1.${index + 2}`);
  const facts = factsFrom({ objects: [node('w1')], confs: listed(...names) });
  expect(hazard.foretell(facts).findings[0]?.severity).toBe('high');
});

test('a pod of the same address on another node does not count', () => {
  const facts = factsFrom({
    objects: [node('w1'), pod('a', { node: 'w2', ip: '10.244.1.5' })],
    confs: listed('10.244.1.5'),
  });
  expect(hazard.foretell(facts).findings).toHaveLength(1);
});

test('near miss: every address has its pod', () => {
  const facts = factsFrom({
    objects: [node('w1'), pod('a', { node: 'w1', ip: '10.244.1.5' })],
    confs: listed('10.244.1.5', 'lock'),
  });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no listing', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1')] })).missing).toEqual([
    'address files of a node (talosctl ls /var/lib/cni/networks/cbr0)',
  ]);
});
