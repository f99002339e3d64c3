import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const cache = daemonSet('node-local-dns', { namespace: 'kube-system' });

test('the cache beside kube-proxy replacement', () => {
  const facts = factsFrom({
    values: 'kubeProxyReplacement: true\n',
    objects: [node('w1'), cache],
  });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          'DaemonSet kube-system/node-local-dns caches DNS on every node, and these values replace kube-proxy without local redirect policies. On a migrated node, questions to the kube-dns ClusterIP go past the cache, and those to its link-local address can be dropped.',
        evidence: [
          {
            source: 'values.yaml:1:23',
            file: 'values.yaml',
            path: 'kubeProxyReplacement',
            line: 1,
            column: 23,
            value: true,
          },
          { source: 'DaemonSet kube-system/node-local-dns' },
        ],
        fix: {
          summary:
            'Use plain CoreDNS during the migration, or switch local redirect policies on and give the cache its CiliumLocalRedirectPolicy first.',
          patch: 'localRedirectPolicy: true\n',
        },
      }),
    ]),
  );
});

test('from chart 1.18 on the value has another name', () => {
  const facts = factsFrom({
    values: 'kubeProxyReplacement: true\n',
    chartVersion: '1.18.3',
    objects: [node('w1'), cache],
  });
  expect(hazard.foretell(facts).findings[0]?.fix?.patch).toBe(
    'localRedirectPolicies:\n  enabled: true\n',
  );
});

test('near miss: redirect policies are on', () => {
  const values = 'kubeProxyReplacement: true\nlocalRedirectPolicy: true\n';
  expect(hazard.foretell(factsFrom({ values, objects: [node('w1'), cache] }))).toEqual(judged());
});

test('near miss: kube-proxy stays', () => {
  const facts = factsFrom({ values: 'a: 1\n', objects: [node('w1'), cache] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n' })).missing).not.toEqual([]);
});
