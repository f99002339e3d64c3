import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const BOTH = `cluster:
  network:
    cni:
      name: none
  proxy:
    disabled: true
`;

test('one patch takes both', () => {
  const machineConfigs = [{ text: BOTH, kind: 'patch' as const, file: 'patch.yaml' }];
  expect(hazard.foretell(factsFrom({ machineConfigs }))).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'high',
        certainty: 'proven',
        evidence: [{ source: 'patch.yaml:6:15' }, { source: 'patch.yaml:4:13' }],
      },
    ],
  });
});

test('near miss: one of them, or a config that says what is there', () => {
  const proxy = 'cluster:\n  proxy:\n    disabled: true\n';
  const patch = factsFrom({ machineConfigs: [{ text: proxy, kind: 'patch' }] });
  expect(hazard.foretell(patch)).toEqual({ findings: [], missing: [] });
  const whole = factsFrom({ machineConfigs: [{ text: BOTH }] });
  expect(hazard.foretell(whole)).toEqual({ findings: [], missing: [] });
});

test('unknown: no machine config was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
