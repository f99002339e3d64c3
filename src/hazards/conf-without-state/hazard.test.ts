import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const files = { '10-flannel.conflist': '{"name":"cbr0","plugins":[{"type":"flannel"}]}' };
const confs = [{ node: 'w1', files }];
const flannel = (nodeSelector: Record<string, string> = {}) =>
  daemonSet('kube-flannel', {
    namespace: 'kube-system',
    image: 'ghcr.io/siderolabs/flannel:v0.26.7',
    spec: { nodeSelector },
  });

test('the conf is left and the DaemonSet is gone', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1')], confs }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'conf-without-state',
        covers: ['FM-03'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          '10-flannel.conflist is the conf that the runtime of node w1 takes, and no Flannel DaemonSet is left. /run/flannel/subnet.env is on a tmpfs: the next boot removes it, nothing writes it again, and from then on every new pod of the node fails with "open /run/flannel/subnet.env: no such file or directory". Deleting pods still works.',
        evidence: [
          {
            source: '10-flannel.conflist:1:1',
            file: '10-flannel.conflist',
            line: 1,
            column: 1,
            value: '10-flannel.conflist',
          },
        ],
        fix: {
          summary:
            'Before node w1 boots, hand it to the new network and rename 10-flannel.conflist in place; or bring the Flannel DaemonSet back onto the node.',
          command:
            'mv /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/10-flannel.conflist.parked',
        },
        references: hazard.references,
      },
    ],
  });
});

test('the DaemonSet is kept off the node by a selector', () => {
  const objects = [node('w1'), flannel({ 'io.cilium.migration/old': 'true' })];
  const [found] = hazard.foretell(factsFrom({ objects, confs })).findings;
  expect(found?.message).toContain('DaemonSet kube-system/kube-flannel does not run there');
  expect(found?.evidence[1]?.path).toBe('spec.template.spec.nodeSelector');
});

test('near miss: flanneld runs on the node and writes the file at its start', () => {
  const objects = [node('w1'), flannel({ 'kubernetes.io/os': 'linux' })];
  expect(hazard.foretell(factsFrom({ objects, confs }))).toEqual({ findings: [], missing: [] });
});

test('near miss: Cilium comes first', () => {
  const both = { ...files, '05-cilium.conflist': null };
  const facts = factsFrom({ objects: [node('w1')], confs: [{ node: 'w1', files: both }] });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('near miss: Talos 1.14 loses the conf at boot as well', () => {
  const objects = [node('w1', { osImage: 'Talos (v1.14.0-rc.1)' })];
  expect(hazard.foretell(factsFrom({ objects, confs })).findings).toEqual([]);
});

test('near miss: K3s runs flanneld without a DaemonSet', () => {
  const cluster = { distribution: 'k3s' as const };
  expect(hazard.foretell(factsFrom({ cluster, objects: [node('w1')], confs })).findings).toEqual(
    [],
  );
});

test('unknown: confs without the cluster they belong to', () => {
  expect(hazard.foretell(factsFrom({ confs })).missing).toEqual([
    'workloads of the cluster (kubectl get pods,ds,deploy,sts -A -o json)',
  ]);
});
