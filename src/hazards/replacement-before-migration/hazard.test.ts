import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const values = 'kubeProxyReplacement: true\n';
const kubeProxy = { present: true };

test('replacement on, beside Flannel', () => {
  const facts = factsFrom({ values, sourceCni: 'flannel', kubeProxy });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'kubeProxyReplacement is true in values that bring Cilium beside flannel. Every Service connection that lives through the switch is cut or stalls, and until the pods behind a Service have moved, Cilium balances to endpoints of a network it does not manage.',
        evidence: [
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
            'Migrate the CNI first with kube-proxy kept; then switch replacement on node by node with a CiliumNodeConfig; remove kube-proxy last.',
          patch: 'kubeProxyReplacement: false\n',
        },
      }),
    ]),
  );
});

test('near miss: Cilium is the CNI already', () => {
  expect(hazard.foretell(factsFrom({ values, sourceCni: 'cilium', kubeProxy }))).toEqual(judged());
});

test('near miss: there is no kube-proxy to replace', () => {
  const facts = factsFrom({ values, sourceCni: 'flannel', kubeProxy: { present: false } });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('near miss: replacement is off', () => {
  const facts = factsFrom({
    values: 'kubeProxyReplacement: false\n',
    sourceCni: 'flannel',
    kubeProxy,
  });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: what serves the nodes now', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).toEqual([
    'the CNI that is to be replaced (its DaemonSet, or a CNI conf)',
  ]);
});
