import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const FULL = 'kubeProxyReplacement: true\nbpf:\n  masquerade: true\n';

test('full replacement with BPF masquerading beside Flannel', () => {
  const facts = factsFrom({ values: FULL, chartVersion: '1.16.5', sourceCni: 'flannel' });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          "These values switch BPF host routing on while pods of flannel are still there. Packets from pods on Cilium to them do not pass the host's routes, which alone know the way: the moment the first pods move, they reach neither old pods nor a Service behind which only old pods stand, CoreDNS among them.",
        evidence: [
          {
            source: 'values.yaml:3:15',
            file: 'values.yaml',
            path: 'bpf.masquerade',
            line: 3,
            column: 15,
            value: true,
          },
          {
            source: 'values.yaml:1:23',
            file: 'values.yaml',
            path: 'kubeProxyReplacement',
            line: 1,
            column: 23,
            value: true,
          },
        ],
        fix: {
          summary:
            'Keep host routing in the stack until the last node is migrated; switch it off with the final values, if at all.',
          patch: 'bpf:\n  hostLegacyRouting: true\n',
        },
      }),
    ]),
  );
});

test.each([
  ['host routing left to the stack', `${FULL}  hostLegacyRouting: true\n`, 'flannel'],
  ['kube-proxy kept: host routing stays off by itself', 'bpf:\n  masquerade: false\n', 'flannel'],
  ['no other network is there', FULL, 'cilium'],
] as const)('near miss: %s', (_name, values, sourceCni) => {
  const facts = factsFrom({ values, chartVersion: '1.16.5', sourceCni });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: which network the cluster has', () => {
  expect(hazard.foretell(factsFrom({ values: FULL, chartVersion: '1.16.5' })).missing).toHaveLength(
    1,
  );
});
