import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const CILIUM = '{"cniVersion":"0.3.1","name":"cilium","plugins":[{"type":"cilium-cni"}]}';
const both = { '10-flannel.conflist': null, '05-cilium.conflist': CILIUM };

test('two confs on a containerd node', () => {
  const facts = factsFrom({ objects: [node('w1')], confs: [{ node: 'w1', files: both }] });
  expect(hazard.foretell(facts)).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'two-live-confs',
        covers: ['FM-02'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          '/etc/cni/net.d of node w1 holds 2 confs that the runtime considers: 05-cilium.conflist and 10-flannel.conflist. containerd takes 05-cilium.conflist alone, so new pods get cilium, and never falls back to 10-flannel.conflist when that fails. The moment 05-cilium.conflist is removed or renamed, 10-flannel.conflist takes over for every pod made after that; pods that run keep the network they have.',
        evidence: [
          {
            source: 'listing.txt:1:1',
            file: 'listing.txt',
            line: 1,
            column: 1,
            value: ['05-cilium.conflist', '10-flannel.conflist'],
          },
        ],
        fix: {
          summary:
            'Keep one live conf per node: rename the loser to a suffix no runtime reads, in the same directory and in the same step that hands the node over. Do not delete the directory: containerd stops watching it.',
          command:
            'mv /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/10-flannel.conflist.parked',
        },
        references: hazard.references,
      },
    ],
  });
});

test('CRI-O may go on to the next file', () => {
  const crio = node('w1', { runtime: 'cri-o://1.33.0' });
  const facts = factsFrom({ objects: [crio], confs: [{ node: 'w1', files: both }] });
  expect(hazard.foretell(facts).findings[0]?.message).toContain('CRI-O takes 05-cilium.conflist');
});

test('byte order, not number order, and dotfiles first', () => {
  const files = { '9-a.conf': null, '10-b.conf': null, '.99-c.conf': null };
  const [found] = hazard.foretell(factsFrom({ confs: [{ files }] })).findings;
  expect(found?.evidence[0]?.value).toEqual(['.99-c.conf', '10-b.conf', '9-a.conf']);
});

test('near miss: the loser is parked', () => {
  const files = { '05-cilium.conflist': CILIUM, '10-flannel.conflist.cilium_bak': null };
  expect(hazard.foretell(factsFrom({ confs: [{ files }] }))).toEqual({ findings: [], missing: [] });
});

test('near miss: multus in front calls the network behind it', () => {
  const files = { '00-multus.conf': null, '10-flannel.conflist': null };
  expect(hazard.foretell(factsFrom({ confs: [{ files }] })).findings).toEqual([]);
});

test('near miss: a directory of binaries', () => {
  const files = { 'a.conf': null, 'b.conf': null };
  const facts = factsFrom({ confs: [{ directory: '/opt/cni/bin', files }] });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('unknown: no conf directory was read', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1')] })).missing).toEqual([
    'CNI confs of a node (talosctl ls -l /etc/cni/net.d, talosctl read)',
  ]);
});
