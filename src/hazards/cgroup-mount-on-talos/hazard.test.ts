import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const cluster = { distribution: 'talos' as const };

test('the default', () => {
  const { findings } = hazard.foretell(factsFrom({ cluster, values: 'debug: {}\n' }));
  expect(findings).toMatchObject([{ severity: 'medium', certainty: 'likely' }]);
  expect(findings[0]?.message).toContain('is not set, and its default is true');
});

test('the mount off, and no root named', () => {
  const values = 'cgroup:\n  autoMount:\n    enabled: false\n';
  const { findings } = hazard.foretell(factsFrom({ cluster, values }));
  expect(findings[0]?.message).toContain('/run/cilium/cgroupv2, where Talos mounts nothing');
  expect(findings[0]?.evidence).toMatchObject([{ source: 'values.yaml:1:1' }]);
});

test('near miss: as the guides have it', () => {
  const values = 'cgroup:\n  autoMount:\n    enabled: false\n  hostRoot: /sys/fs/cgroup\n';
  expect(hazard.foretell(factsFrom({ cluster, values }))).toEqual({ findings: [], missing: [] });
});

test('near miss: another distribution', () => {
  const facts = factsFrom({ cluster: { distribution: 'kubeadm' }, values: 'debug: {}\n' });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('unknown: what the nodes run was not read', () => {
  expect(hazard.foretell(factsFrom({ values: 'debug: {}\n' })).missing).toHaveLength(1);
});
