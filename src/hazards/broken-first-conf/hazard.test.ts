import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const GOOD = '{"cniVersion":"1.0.0","name":"cbr0","plugins":[{"type":"flannel"}]}';

function foretell(files: Record<string, string | null>, runtime = 'containerd://2.0.5') {
  const confs = [{ node: 'w1', files }];
  return hazard.foretell(factsFrom({ objects: [node('w1', { runtime })], confs }));
}

test('a first file that is cut off', () => {
  expect(foretell({ '05-cilium.conflist': '{"name":', '10-flannel.conflist': GOOD })).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'broken-first-conf',
        covers: ['FM-02'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          '05-cilium.conflist comes first in /etc/cni/net.d of node w1, and does not parse: error parsing configuration list: unexpected end of JSON input. containerd fails the whole load: it drops the network that was loaded before and tries no other file, so the node turns NotReady and no pod can be made or torn down.',
        evidence: [
          { source: '05-cilium.conflist:1:1', file: '05-cilium.conflist', line: 1, column: 1 },
        ],
        fix: {
          summary:
            'Repair 05-cilium.conflist, or rename it to a suffix no runtime reads. The runtime notices a write or a rename inside the directory; a file moved in from another directory it does not notice.',
          command: 'mv /etc/cni/net.d/05-cilium.conflist /etc/cni/net.d/05-cilium.conflist.broken',
        },
        references: hazard.references,
      },
    ],
  });
});

test('CRI-O goes on to the next file, which is milder', () => {
  const files = { '05-cilium.conflist': '', '10-flannel.conflist': GOOD };
  const [found] = foretell(files, 'cri-o://1.33.0').findings;
  expect(found?.severity).toBe('high');
  expect(found?.message).toContain('takes 10-flannel.conflist without an error');
});

test('a list in a .conf file names no type', () => {
  expect(foretell({ '05-a.conf': GOOD }).findings[0]?.message).toContain("missing 'type'");
});

test('an empty list of plugins', () => {
  const files = { 'a.conflist': '{"name":"x","plugins":[]}' };
  expect(foretell(files).findings[0]?.message).toContain('no plugins in list');
});

test('a byte order mark is no JSON', () => {
  expect(foretell({ 'a.conflist': `\u{FEFF}${GOOD}` }).findings).toHaveLength(1);
});

test('near miss: a broken second file is never opened', () => {
  const files = { '05-a.conflist': GOOD, '10-b.conflist': '{' };
  expect(foretell(files)).toEqual({ findings: [], missing: [] });
});

test('unknown: the first file was listed and not read', () => {
  expect(foretell({ '05-a.conflist': null, '10-b.conflist': '{' })).toEqual({
    findings: [],
    missing: ['text of 05-a.conflist in /etc/cni/net.d of node w1'],
  });
});
