import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

test('direct routes with the default tunnel', () => {
  const facts = factsFrom({ values: 'autoDirectNodeRoutes: true\n', chartVersion: '1.16.5' });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      { severity: 'critical', certainty: 'proven', evidence: [{ source: 'values.yaml:1:23' }] },
    ],
  });
});

test('near miss: off, or routing natively', () => {
  for (const values of [
    'autoDirectNodeRoutes: false\n',
    'autoDirectNodeRoutes: true\nroutingMode: native\n',
  ]) {
    const facts = factsFrom({ values, chartVersion: '1.16.5' });
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: the same in every chart for a tunnel of the default kind', () => {
  const { findings } = hazard.foretell(factsFrom({ values: 'autoDirectNodeRoutes: true\n' }));
  expect(findings).toMatchObject([{ certainty: 'proven' }]);
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
