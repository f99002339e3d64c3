import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

function config(subnets: string, kind: 'config' | 'patch' = 'patch') {
  const text = `cluster:\n  network:\n    podSubnets: [${subnets}]\n`;
  return { text, kind, file: `${kind}.yaml` };
}

test('the new pool added beside the old one', () => {
  const { findings } = hazard.foretell(
    factsFrom({ machineConfigs: [config('10.244.0.0/16, 10.245.0.0/16')] }),
  );
  expect(findings).toMatchObject([
    { severity: 'critical', certainty: 'proven', evidence: [{ source: 'patch.yaml:3:17' }] },
  ]);
});

test('the old ranges of nodes fall out', () => {
  const facts = factsFrom({
    machineConfigs: [config('10.245.0.0/16')],
    objects: [node('wrk-01', { podCidr: '10.244.3.0/24' })],
  });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      { certainty: 'proven', evidence: [{ file: 'patch.yaml' }, { source: 'Node wrk-01' }] },
    ],
  });
});

test('near miss: a range that holds both, and dual stack', () => {
  for (const subnets of ['10.244.0.0/15', '10.244.0.0/16, "fd00:10:244::/56"']) {
    const facts = factsFrom({
      machineConfigs: [config(subnets)],
      objects: [node('wrk-01', { podCidr: '10.244.3.0/24' })],
    });
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('near miss: a whole config that says what is there', () => {
  const facts = factsFrom({ machineConfigs: [config('10.244.0.0/16', 'config')] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('unknown: what nodes hold was not read, the old config is a hint', () => {
  const machineConfigs = [config('10.244.0.0/16', 'config'), config('10.245.0.0/16')];
  const { findings, missing } = hazard.foretell(factsFrom({ machineConfigs }));
  expect(findings).toMatchObject([{ certainty: 'likely' }]);
  expect(missing).toHaveLength(1);
});
