import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const talos = { cluster: { distribution: 'talos' as const }, chartVersion: '1.18.3' };

test('the default lists', () => {
  const { findings } = hazard.foretell(factsFrom({ ...talos, values: 'debug: {}\n' }));
  expect(findings).toHaveLength(2);
  expect(findings[0]?.message).toContain('is not set, and the default list holds SYS_MODULE');
  expect(findings[0]?.fix?.patch).not.toContain('SYS_MODULE');
});

test('a list that names it, at its place', () => {
  const values = `securityContext:
  capabilities:
    ciliumAgent: [NET_ADMIN, SYS_MODULE]
    cleanCiliumState: [NET_ADMIN]
`;
  const { findings } = hazard.foretell(factsFrom({ ...talos, values }));
  expect(findings).toMatchObject([
    { certainty: 'proven', evidence: [{ source: 'values.yaml:3:18' }] },
  ]);
});

test('near miss: another distribution', () => {
  const facts = factsFrom({
    cluster: { distribution: 'kubeadm' },
    values: 'debug: {}\n',
    chartVersion: '1.18.3',
  });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: a string is the matter of another hazard', () => {
  const values = `securityContext:
  capabilities: {ciliumAgent: "{SYS_MODULE}", cleanCiliumState: "{NET_ADMIN}"}
`;
  expect(hazard.foretell(factsFrom({ ...talos, values })).findings).toEqual([]);
});

test('unknown: what the nodes run was not read', () => {
  expect(hazard.foretell(factsFrom({ values: 'debug: {}\n' })).missing).toHaveLength(1);
});
