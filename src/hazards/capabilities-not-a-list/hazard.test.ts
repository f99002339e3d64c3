import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const VALUES = `securityContext:
  capabilities:
    ciliumAgent: "{CHOWN,KILL}"
    cleanCiliumState: "{NET_ADMIN}"
`;

test('both strings, each at its place, with the list to write', () => {
  const { findings, missing } = hazard.foretell(
    factsFrom({ values: VALUES, chartVersion: '1.16.5' }),
  );
  expect(missing).toEqual([]);
  expect(findings).toMatchObject([
    {
      severity: 'critical',
      certainty: 'proven',
      evidence: [{ source: 'values.yaml:3:18' }],
      fix: {
        patch: 'securityContext:\n  capabilities:\n    ciliumAgent:\n      - CHOWN\n      - KILL\n',
      },
    },
    { evidence: [{ source: 'values.yaml:4:23' }] },
  ]);
  expect(findings[0]?.message).toContain('schema expects an array');
});

test('before 1.16 it is the API server that refuses', () => {
  const { findings } = hazard.foretell(factsFrom({ values: VALUES, chartVersion: '1.15.19' }));
  expect(findings[0]?.message).toContain('API server refuses the DaemonSet');
});

test('near miss: a flow list is a list', () => {
  const values = 'securityContext:\n  capabilities:\n    ciliumAgent: [CHOWN, KILL]\n';
  const facts = factsFrom({ values, chartVersion: '1.16.5' });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('unknown: holds for every chart, so the version is not needed', () => {
  const { findings, missing } = hazard.foretell(factsFrom({ values: VALUES }));
  expect(findings).toHaveLength(2);
  expect(missing).toEqual([]);
});
