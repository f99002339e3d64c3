import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const calico = (...env: { name: string; value: string }[]) =>
  daemonSet('calico-node', {
    namespace: 'kube-system',
    containers: [{ name: 'calico-node', image: 'docker.io/calico/node:v3.28.0', env }],
  });
const autodetect = { name: 'IP', value: 'autodetect' };

test('first-found by default', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), calico(autodetect)] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          "DaemonSet kube-system/calico-node detects its node's address with the method first-found. When Cilium's agent adds cilium_host, Calico can take that address for the node's, and its overlay and BGP sessions break on all nodes that got an agent.",
        evidence: [
          {
            source: 'DaemonSet kube-system/calico-node',
            path: 'spec.template.spec.containers[0].env',
          },
        ],
        fix: {
          summary: 'Pin the method before anything of Cilium is installed.',
          command:
            'kubectl -n kube-system set env daemonset/calico-node IP_AUTODETECTION_METHOD=kubernetes-internal-ip',
        },
      }),
    ]),
  );
});

test('near miss: the method is pinned', () => {
  const pinned = { name: 'IP_AUTODETECTION_METHOD', value: 'interface=eth0' };
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), calico(autodetect, pinned)] }))).toEqual(
    judged(),
  );
});

test('near miss: Canal does policy only', () => {
  const objects = [node('w1'), calico({ name: 'IP', value: '' })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
