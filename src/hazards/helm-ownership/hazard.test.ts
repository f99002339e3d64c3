import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const cilium = (annotations: Record<string, string>) =>
  daemonSet('cilium', { namespace: 'kube-system', annotations });

test('a DaemonSet from a manifest', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), cilium({})] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'DaemonSet kube-system/cilium exists without Helm\'s ownership annotations. helm install stops at the first of them with "invalid ownership metadata", after it may have created others.',
        evidence: [{ source: 'DaemonSet kube-system/cilium', path: 'metadata.annotations' }],
        fix: {
          summary:
            'Let Helm take them over (helm 3.17 and later), or annotate and label them for the release first.',
          command: 'helm upgrade --install cilium cilium/cilium -n kube-system --take-ownership',
        },
      }),
    ]),
  );
});

test("near miss: Helm's own", () => {
  const objects = [node('w1'), cilium({ 'meta.helm.sh/release-name': 'cilium' })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('near miss: another name', () => {
  const objects = [node('w1'), daemonSet('cilium-exporter')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
