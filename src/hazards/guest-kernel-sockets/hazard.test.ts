import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const runtimeClass = (handler: string) =>
  object('node.k8s.io/v1', 'RuntimeClass', 'sandboxed', { handler });
const values = 'kubeProxyReplacement: true\n';

test('gVisor and kube-proxy replacement', () => {
  const facts = factsFrom({ values, objects: [node('w1'), runtimeClass('runsc')] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          'RuntimeClass sandboxed stands for workloads with a kernel of their own, and socketLB.hostNamespaceOnly is not on. Their connections to Services are not translated at the socket, since the socket is in the guest.',
        evidence: [
          { source: 'values.yaml:1:1', file: 'values.yaml', line: 1, column: 1 },
          { source: 'RuntimeClass sandboxed' },
        ],
        fix: {
          summary:
            'Limit socket load balancing to the host, so that packets are translated at the device.',
          patch: 'socketLB:\n  hostNamespaceOnly: true\n',
        },
      }),
    ]),
  );
});

test('near miss: limited to the host', () => {
  const limited = `${values}socketLB:\n  hostNamespaceOnly: true\n`;
  const facts = factsFrom({ values: limited, objects: [node('w1'), runtimeClass('runsc')] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test("near miss: a handler that shares the node's kernel", () => {
  const facts = factsFrom({ values, objects: [node('w1'), runtimeClass('runc')] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).not.toEqual([]);
});
