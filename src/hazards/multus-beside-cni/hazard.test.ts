import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, deployment, node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const multus = daemonSet('kube-multus-ds', {
  namespace: 'kube-system',
  image: 'ghcr.io/k8snetworkplumbingwg/multus-cni:v4.1.0',
});
const keep = 'cni:\n  exclusive: false\n';

test('Multus and exclusive mode', () => {
  const facts = factsFrom({ values: 'cni:\n  exclusive: true\n', objects: [node('w1'), multus] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          'Multus is the CNI that the runtime calls, and cni.exclusive is not false. An agent that manages confs renames 00-multus.conf, so new pods lose their secondary interfaces and the annotations that ask for them do nothing. What Multus calls in its turn is the copy of the old network that it made at its installation.',
        evidence: [
          {
            source: 'values.yaml:2:14',
            file: 'values.yaml',
            path: 'cni.exclusive',
            line: 2,
            column: 14,
            value: true,
          },
          { source: 'DaemonSet kube-system/kube-multus-ds' },
        ],
        fix: {
          summary:
            'Leave foreign confs alone, and in the step that hands a node over restart Multus there so that it copies the new network.',
          patch: 'cni:\n  exclusive: false\n',
        },
      }),
    ]),
  );
});

test('a definition that calls the old plugin', () => {
  const definition = object(
    'k8s.cni.cncf.io/v1',
    'NetworkAttachmentDefinition',
    'second',
    { spec: { config: '{"type": "flannel"}' } },
    { namespace: 'shop' },
  );
  const facts = factsFrom({
    values: keep,
    sourceCni: 'flannel',
    objects: [node('w1'), multus, definition],
  });
  const [found, ...more] = hazard.foretell(facts).findings;
  expect(more).toEqual([]);
  expect(found?.message).toContain(
    'NetworkAttachmentDefinition shop/second calls the plugin flannel',
  );
});

test('near miss: exclusive is off and nothing calls the old plugin', () => {
  const facts = factsFrom({ values: keep, sourceCni: 'flannel', objects: [node('w1'), multus] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('near miss: no Multus', () => {
  expect(
    hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [node('w1'), deployment('web')] })),
  ).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n' })).missing).not.toEqual([]);
});
