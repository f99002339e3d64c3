import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const agent = (name: string, hostNetwork: boolean, containerPort = 4240) =>
  daemonSet(name, { containers: [{ ports: [{ containerPort }] }], spec: { hostNetwork } });

test('a host-network agent on the health port', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), agent('probe', true)] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          'DaemonSet default/probe takes 4240 (health checks) on its nodes, which Cilium binds there by default. Whoever starts second fails with "bind: address already in use".',
        evidence: [
          {
            source: 'DaemonSet default/probe',
            path: 'spec.template.spec.containers',
            value: ['4240 (health checks)'],
          },
        ],
        fix: {
          summary:
            "Move one of the two: give this workload another port, or set Cilium's (healthPort, operator and Hubble ports, prometheus.port) in the values.",
        },
      }),
    ]),
  );
});

test.each([
  ['the pod network has its own ports', agent('probe', false)],
  ['another port', agent('probe', true, 9100)],
  ["Cilium's own", agent('cilium', true)],
])('near miss: %s', (_, object) => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), object] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
