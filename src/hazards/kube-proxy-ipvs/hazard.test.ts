import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const kubeProxy = { present: true, mode: 'ipvs' as const };
const values = 'a: 1\n';

test('Cilium 1.19.1 beside IPVS', () => {
  const facts = factsFrom({ values, chartVersion: '1.19.1', kubeProxy });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        severity: 'critical',
        certainty: 'proven',
        message:
          'kube-proxy runs in IPVS mode and Cilium 1.19.1 is to be installed: its agents hang in the init container "config" as soon as they restart, because their connection to the API server is lost between the two.',
        evidence: [
          { source: 'literal', file: 'literal', value: 'ipvs' },
          { source: 'values.yaml:1:1', file: 'values.yaml', line: 1, column: 1 },
        ],
        fix: {
          summary:
            'Move kube-proxy to iptables or nftables mode first, as a change of its own, and clean up kube-ipvs0; or take Cilium 1.19.2 or later and switch Services over in the same node step.',
        },
      }),
    ]),
  );
});

test('other versions are milder', () => {
  const [found] = hazard.foretell(
    factsFrom({ values, chartVersion: '1.18.3', kubeProxy }),
  ).findings;
  expect([found?.severity, found?.certainty]).toEqual(['high', 'likely']);
});

test('near miss: iptables mode', () => {
  const iptables = { present: true, mode: 'iptables' as const };
  const facts = factsFrom({ values, chartVersion: '1.19.1', kubeProxy: iptables });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: the mode was not read', () => {
  expect(hazard.foretell(factsFrom({ values, kubeProxy: { present: true } })).missing).toEqual([
    'the mode of kube-proxy (its ConfigMap or arguments)',
  ]);
});
