import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { daemonSet, node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const flux = {
  'helm.toolkit.fluxcd.io/name': 'cilium',
  'helm.toolkit.fluxcd.io/namespace': 'flux-system',
};
const cilium = daemonSet('cilium', { namespace: 'kube-system', labels: flux });
const release = (suspend: boolean) =>
  object(
    'helm.toolkit.fluxcd.io/v2',
    'HelmRelease',
    'cilium',
    { spec: { suspend } },
    { namespace: 'flux-system' },
  );

test("Flux owns Cilium's DaemonSet and reconciles", () => {
  const facts = factsFrom({ objects: [node('w1'), cilium, release(false)] });
  expect(hazard.foretell(facts)).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'gitops-owner',
        covers: ['FM-05'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'Flux HelmRelease cilium owns DaemonSet kube-system/cilium, which the migration changes. While it reconciles, it writes its own version back or deletes what its repository does not hold, so a step is undone seconds to minutes after it was done.',
        evidence: [
          {
            source: 'DaemonSet kube-system/cilium',
            path: 'metadata.labels["helm.toolkit.fluxcd.io/name"]',
            value: 'Flux HelmRelease cilium',
          },
        ],
        fix: {
          summary:
            'Suspend exactly this owner before the first step (and the parent that would switch it on again), commit the new state, and let it go on at the end.',
          command: 'flux suspend helmrelease cilium -n flux-system',
        },
        references: hazard.references,
      },
    ],
  });
});

test('an owner whose own object was not read is likely, not proven', () => {
  const argo = daemonSet('kube-flannel', {
    namespace: 'kube-system',
    annotations: {
      'argocd.argoproj.io/tracking-id': 'net:apps/DaemonSet:kube-system/kube-flannel',
    },
  });
  const [found] = hazard.foretell(factsFrom({ objects: [node('w1'), argo] })).findings;
  expect(found?.certainty).toBe('likely');
  expect(found?.fix?.command).toBe('argocd app set net --sync-policy none');
});

test('near miss: the owner is suspended', () => {
  const facts = factsFrom({ objects: [node('w1'), cilium, release(true)] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: an Argo CD application that nobody syncs automatically', () => {
  const argo = daemonSet('cilium', {
    annotations: { 'argocd.argoproj.io/tracking-id': 'net:apps/DaemonSet:kube-system/cilium' },
  });
  const app = object('argoproj.io/v1alpha1', 'Application', 'net', { spec: { syncPolicy: {} } });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), argo, app] })).findings).toEqual([]);
});

test('near miss: Flux owns something the migration leaves alone', () => {
  const shop = daemonSet('shop', { labels: flux });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), shop] })).findings).toEqual([]);
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'workloads of the cluster (kubectl get pods,ds,deploy,sts -A -o json)',
  ]);
});
