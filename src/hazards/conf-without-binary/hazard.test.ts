import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const CILIUM = '{"name":"cilium","plugins":[{"type":"cilium-cni"}]}';
const FLANNEL = '{"name":"cbr0","plugins":[{"type":"flannel"},{"type":"portmap"}]}';

function foretell(
  files: Record<string, string | null>,
  binaries: readonly string[],
  runtime = 'containerd://2.0.5',
) {
  const bin = Object.fromEntries(binaries.map((name) => [name, null]));
  return hazard.foretell(
    factsFrom({
      objects: [node('w1', { runtime })],
      confs: [
        { node: 'w1', files },
        { node: 'w1', directory: '/opt/cni/bin', files: bin },
      ],
    }),
  );
}

test("Cilium's conf without its binary", () => {
  const files = { '05-cilium.conflist': CILIUM, '10-flannel.conflist': FLANNEL };
  expect(foretell(files, ['flannel', 'bridge', 'host-local', 'portmap'])).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'conf-without-binary',
        covers: ['FM-51', 'FM-02', 'FM-81'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          '05-cilium.conflist comes first in /etc/cni/net.d of node w1 and calls cilium-cni, which is not among the plugin binaries of the node. containerd loads the conf all the same: the node stays Ready, every new pod stays in ContainerCreating with "failed to find plugin", and pods that are deleted stay Terminating.',
        evidence: [
          {
            source: '05-cilium.conflist:1:1',
            file: '05-cilium.conflist',
            line: 1,
            column: 1,
            value: ['cilium-cni'],
          },
        ],
        fix: {
          summary:
            "Put cilium-cni back before anything is deleted or made on the node (an agent's init container does it at its start), or rename 05-cilium.conflist so that the runtime takes another conf.",
        },
        references: hazard.references,
      },
    ],
  });
});

test('the flannel plugin calls bridge and host-local', () => {
  const [found] = foretell({ '10-flannel.conflist': FLANNEL }, ['flannel', 'portmap']).findings;
  expect(found?.evidence[0]?.value).toEqual(['bridge', 'host-local']);
});

test('CRI-O takes the next conf', () => {
  const files = { '05-cilium.conflist': CILIUM, '10-flannel.conflist': FLANNEL };
  const [found] = foretell(files, ['flannel'], 'cri-o://1.33.0').findings;
  expect(found?.message).toContain('10-flannel.conflist is taken instead, without an error');
});

test('near miss: only the second conf lacks its binary', () => {
  const files = { '05-cilium.conflist': CILIUM, '10-flannel.conflist': FLANNEL };
  expect(foretell(files, ['cilium-cni'])).toEqual({ findings: [], missing: [] });
});

test('unknown: the binaries were not listed', () => {
  const confs = [{ node: 'w1', files: { '05-cilium.conflist': CILIUM } }];
  expect(hazard.foretell(factsFrom({ objects: [node('w1')], confs })).missing).toEqual([
    'plugin binaries of a node (talosctl ls /opt/cni/bin)',
  ]);
});
