import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

function talos(talosVersion: string, sourceCni: 'flannel' | 'cilium' = 'flannel') {
  return factsFrom({ cluster: { distribution: 'talos', talosVersion }, sourceCni });
}

test('Talos 1.14 with Flannel still there', () => {
  expect(hazard.foretell(talos('1.14.0-rc.1'))).toMatchObject({
    missing: [],
    findings: [{ severity: 'medium', certainty: 'likely' }],
  });
});

test('near miss: on disk until 1.13, and nobody to race with', () => {
  expect(hazard.foretell(talos('1.13.9'))).toEqual({ findings: [], missing: [] });
  expect(hazard.foretell(talos('1.14.0', 'cilium'))).toEqual({ findings: [], missing: [] });
});

test('unknown: which Talos, or which CNI', () => {
  const facts = factsFrom({ cluster: { distribution: 'talos' } });
  expect(hazard.foretell(facts).missing).toEqual(['the version of Talos (--talos-version 1.x.y)']);
});
