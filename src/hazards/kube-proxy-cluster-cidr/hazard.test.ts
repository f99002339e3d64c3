import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const proxy = (...args: string[]) =>
  daemonSet('kube-proxy', { namespace: 'kube-system', containers: [{ args }] });
const values = 'ipam:\n  operator:\n    clusterPoolIPv4PodCIDRList: [10.245.0.0/16]\n';

test('the pool lies outside', () => {
  const objects = [node('w1'), proxy('--cluster-cidr=10.244.0.0/16')];
  expect(hazard.foretell(factsFrom({ values, objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'DaemonSet kube-system/kube-proxy has --cluster-cidr=10.244.0.0/16, which does not hold the pool 10.245.0.0/16. While kube-proxy is kept, it masquerades every connection of a new pod to a Service, so the server sees the address of the node.',
        evidence: [
          {
            source: 'values.yaml:3:34',
            file: 'values.yaml',
            path: 'ipam.operator.clusterPoolIPv4PodCIDRList[0]',
            line: 3,
            column: 34,
            value: '10.245.0.0/16',
          },
          {
            source: 'DaemonSet kube-system/kube-proxy',
            path: 'spec.template.spec.containers[0]',
            value: '10.244.0.0/16',
          },
        ],
        fix: {
          summary:
            'Accept it for the time of the migration and tell those who filter by pod address; or switch kube-proxy replacement on soon after the last node has moved.',
        },
      }),
    ]),
  );
});

test('near miss: a supernet', () => {
  const objects = [node('w1'), proxy('--cluster-cidr', '10.244.0.0/15')];
  expect(hazard.foretell(factsFrom({ values, objects }))).toEqual(judged());
});

test('near miss: no such flag', () => {
  expect(hazard.foretell(factsFrom({ values, objects: [node('w1'), proxy()] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).not.toEqual([]);
});
