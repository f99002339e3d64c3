import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { deployment, node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const namespace = (mode: string) =>
  object('v1', 'Namespace', 'shop', {}, { labels: { 'istio.io/dataplane-mode': mode } });
const values = 'bpf:\n  masquerade: true\n';

test('an ambient namespace and BPF masquerading', () => {
  const facts = factsFrom({ values, objects: [node('w1'), namespace('ambient')] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          "Istio runs in ambient mode and bpf.masquerade is on. The kubelet's probes reach ambient pods from 169.254.7.127, and replies to that address do not find their way through BPF host routing: the pods turn not Ready on each node that is migrated.",
        evidence: [
          {
            source: 'values.yaml:2:15',
            file: 'values.yaml',
            path: 'bpf.masquerade',
            line: 2,
            column: 15,
            value: true,
          },
          { source: 'Namespace shop' },
        ],
        fix: {
          summary:
            'Masquerade with iptables, and allow 169.254.7.127 where a default-deny policy holds.',
          patch: 'bpf:\n  masquerade: false\n',
        },
      }),
    ]),
  );
});

test('near miss: a namespace with sidecars', () => {
  const facts = factsFrom({ values, objects: [node('w1'), namespace('none'), deployment('web')] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('near miss: iptables masquerading', () => {
  const facts = factsFrom({ values: 'a: 1\n', objects: [node('w1'), namespace('ambient')] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).not.toEqual([]);
});
