import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

test('upstream Flannel and the default port', () => {
  const facts = factsFrom({
    values: 'debug: {}\n',
    sourceCni: 'flannel',
    flannel: { backend: 'vxlan', port: 8472 },
  });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [{ severity: 'critical', certainty: 'proven', fix: { patch: 'tunnelPort: 8473\n' } }],
  });
});

test('K3s, where Flannel was not read itself', () => {
  const facts = factsFrom({ values: 'debug: {}\n', cluster: { distribution: 'k3s' } });
  expect(hazard.foretell(facts).findings).toMatchObject([{ certainty: 'likely' }]);
});

test('on Talos another port than the default is not needed', () => {
  const facts = factsFrom({ values: 'tunnelPort: 8473\n', cluster: { distribution: 'talos' } });
  const { findings } = hazard.foretell(facts);
  expect(findings).toMatchObject([
    { severity: 'info', evidence: [{ source: 'values.yaml:1:13', value: 8473 }] },
  ]);
  expect(findings[0]?.message).toContain('4789, not 8472');
});

test('on Talos 4789 is the port that clashes', () => {
  const facts = factsFrom({ values: 'tunnelPort: 4789\n', cluster: { distribution: 'talos' } });
  expect(hazard.foretell(facts).findings).toMatchObject([{ severity: 'critical' }]);
});

test('near miss: the default on Talos, another port elsewhere, or no VXLAN at all', () => {
  const talos = { distribution: 'talos' as const };
  const k3s = { distribution: 'k3s' as const };
  for (const facts of [
    factsFrom({ values: 'debug: {}\n', cluster: talos }),
    factsFrom({ values: 'tunnelPort: 8473\n', cluster: k3s }),
    factsFrom({ values: 'tunnelProtocol: geneve\n', cluster: k3s }),
    factsFrom({ values: 'routingMode: native\n', cluster: k3s }),
    factsFrom({ values: 'debug: {}\n', cluster: k3s, flannel: { backend: 'host-gw' } }),
    factsFrom({ values: 'debug: {}\n', cluster: k3s, sourceCni: 'kindnet' }),
  ]) {
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: neither Flannel nor the distribution was read', () => {
  expect(hazard.foretell(factsFrom({ values: 'debug: {}\n' })).missing).toHaveLength(1);
});
