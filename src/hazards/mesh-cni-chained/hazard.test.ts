import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const istio = daemonSet('istio-cni-node', {
  namespace: 'istio-system',
  image: 'docker.io/istio/install-cni:1.24.0',
});

test("Istio's plugin and exclusive mode", () => {
  const facts = factsFrom({ values: 'cni:\n  exclusive: true\n', objects: [node('w1'), istio] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          "DaemonSet istio-system/istio-cni-node installs a mesh's CNI plugin, and cni.exclusive is not false. The agent renames every other conf, the one the mesh chained itself into among them, and does so again each time the mesh writes it. Pods made after that have no mesh.",
        evidence: [
          {
            source: 'values.yaml:2:14',
            file: 'values.yaml',
            path: 'cni.exclusive',
            line: 2,
            column: 14,
            value: true,
          },
          { source: 'DaemonSet istio-system/istio-cni-node' },
        ],
        fix: {
          summary:
            'Leave the confs of others alone, park only the old base conf per node, and restart the installer of the mesh on each node after its switch so that it chains itself anew. Istio also needs socketLB.hostNamespaceOnly.',
          patch: 'cni:\n  exclusive: false\nsocketLB:\n  hostNamespaceOnly: true\n',
        },
      }),
    ]),
  );
});

test('with customConf it strikes when a node is handed over', () => {
  const values = 'cni:\n  customConf: true\n';
  const [found] = hazard.foretell(factsFrom({ values, objects: [node('w1'), istio] })).findings;
  expect(found?.certainty).toBe('likely');
});

test('a chained conf is enough', () => {
  const files = {
    '10-flannel.conflist': '{"name":"cbr0","plugins":[{"type":"flannel"},{"type":"linkerd-cni"}]}',
  };
  const facts = factsFrom({ values: 'a: 1\n', confs: [{ files }], objects: [node('w1')] });
  expect(hazard.foretell(facts).findings[0]?.message).toContain('chains linkerd-cni');
});

test('near miss: exclusive is off', () => {
  const facts = factsFrom({ values: 'cni:\n  exclusive: false\n', objects: [node('w1'), istio] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: the values of the target', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), istio] })).missing).toEqual([
    'Helm values of the target Cilium',
  ]);
});
