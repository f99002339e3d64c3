import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const values = 'kubeProxyReplacement: true\n';

test('kube-proxy in nftables mode is to be replaced', () => {
  const facts = factsFrom({ values, kubeProxy: { present: true, mode: 'nftables' } });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'kube-proxy runs in nftables mode and is to be replaced. When its DaemonSet is gone, the nftables table kube-proxy, which `iptables-save` does not show stay on each node until somebody removes them or the node boots, and keep sending what BPF does not take to endpoints of the past.',
        evidence: [
          { source: 'literal', file: 'literal' },
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
            'After Cilium has taken over Services on a node, clean up there: run the kube-proxy image once with --cleanup, or boot the node; then look in all three rule sets.',
          command: 'kube-proxy --cleanup',
        },
      }),
    ]),
  );
});

test('the mode was not read: likely', () => {
  const [found] = hazard.foretell(factsFrom({ values, kubeProxy: { present: true } })).findings;
  expect(found?.certainty).toBe('likely');
});

test('near miss: kube-proxy stays', () => {
  const facts = factsFrom({
    values: 'kubeProxyReplacement: false\n',
    kubeProxy: { present: true },
  });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('near miss: there is none', () => {
  expect(hazard.foretell(factsFrom({ values, kubeProxy: { present: false } }))).toEqual(judged());
});

test('unknown: whether kube-proxy runs', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).toEqual([
    'whether kube-proxy runs (kubectl -n kube-system get ds)',
  ]);
});
