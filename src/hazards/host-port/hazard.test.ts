import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const ingress = (hostNetwork: boolean) =>
  daemonSet('ingress', {
    containers: [{ name: 'nginx', ports: [{ containerPort: 80, hostPort: 80 }] }],
    spec: { hostNetwork },
  });
const off = 'kubeProxyReplacement: false\n';

test('an ingress on host port 80', () => {
  const facts = factsFrom({ values: off, objects: [node('w1'), ingress(false)] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'DaemonSet default/ingress (80) publishes host ports, and these values give Cilium nothing that serves them. From the restart of such a pod on a migrated node its host port is dead, and rules of the old portmap that were not torn down send it to an address that is gone.',
        evidence: [
          {
            source: 'values.yaml:1:23',
            file: 'values.yaml',
            path: 'kubeProxyReplacement',
            line: 1,
            column: 23,
          },
          { source: 'DaemonSet default/ingress', path: 'spec.template.spec.containers' },
        ],
        fix: {
          summary:
            'While kube-proxy is kept, chain portmap behind Cilium; with kube-proxy replacement host ports are served by itself. Reboot the node, or remove the stale CNI-HOSTPORT-DNAT rules.',
          patch: 'cni:\n  chainingMode: portmap\n',
        },
      }),
    ]),
  );
});

test.each(['kubeProxyReplacement: true\n', 'cni:\n  chainingMode: portmap\n'])(
  'near miss: %s serves them',
  (values) => {
    const facts = factsFrom({ values, objects: [node('w1'), ingress(false)] });
    expect(hazard.foretell(facts)).toEqual(judged());
  },
);

test('hostPort.enabled counts before chart 1.18 only', () => {
  const values = 'hostPort:\n  enabled: true\n';
  const at = (chartVersion: string) =>
    hazard.foretell(factsFrom({ values, chartVersion, objects: [node('w1'), ingress(false)] }));
  expect(at('1.17.8').findings).toEqual([]);
  expect(at('1.18.3').findings).toHaveLength(1);
});

test('near miss: on the host network no plugin is involved', () => {
  const facts = factsFrom({ values: off, objects: [node('w1'), ingress(true)] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: the values of the target', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), ingress(false)] })).missing).toEqual([
    'Helm values of the target Cilium',
  ]);
});
