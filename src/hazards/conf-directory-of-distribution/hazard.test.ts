import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const k3s = { distribution: 'k3s' as const };

test('K3s with its Flannel, and the default paths', () => {
  const facts = factsFrom({ values: 'debug: {}\n', cluster: k3s, sourceCni: 'flannel' });
  const { findings, missing } = hazard.foretell(facts);
  expect(missing).toEqual([]);
  expect(findings).toHaveLength(2);
  expect(findings[0]?.fix?.patch).toContain('confPath: /var/lib/rancher/k3s/agent/etc/cni/net.d');
});

test('a path of its own where the runtime has the default', () => {
  const values = 'cni:\n  confPath: /var/lib/rancher/rke2/agent/etc/cni/net.d\n';
  const { findings } = hazard.foretell(
    factsFrom({ values, cluster: { distribution: 'rke2' }, sourceCni: 'canal' }),
  );
  expect(findings).toMatchObject([
    { certainty: 'proven', evidence: [{ source: 'values.yaml:2:13' }] },
  ]);
});

test('near miss: K3s without Flannel, and Talos, use the defaults', () => {
  for (const facts of [
    factsFrom({ values: 'debug: {}\n', cluster: k3s, sourceCni: 'none' }),
    factsFrom({ values: 'debug: {}\n', cluster: { distribution: 'talos' }, sourceCni: 'flannel' }),
  ]) {
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: whether the bundled Flannel is on', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', cluster: k3s })).missing).toHaveLength(1);
});
