/** FM-12: Cilium's operator restarts DNS pods that the old network still serves. */
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { isOff } from '../target.ts';

export const hazard: Hazard = {
  id: 'unmanaged-pod-restart',
  covers: ['FM-12'],
  title: "Cilium's operator deletes DNS pods that it does not manage yet",
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 (the selector is a value from 1.19)',
  why: 'The operator looks every 15 seconds for pods labelled k8s-app=kube-dns that have no CiliumEndpoint and are older than 30 seconds, and deletes one. While nodes still run the old CNI the new pod has none either, so CoreDNS is restarted again every five minutes.',
  references: [
    'cilium:operator/unmanagedpods/controller.go@main',
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
    'cilium/cilium#6839',
    'cilium/cilium#9581',
  ],
  foretell,
  signs: { occurrences: ['cilium-operator.unmanaged-pod-restarted'] },
};

const KEY = 'operator.unmanagedPodWatcher.restart';

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const watching = facts.targets.filter((target) => !isOff(target, KEY));
  if (watching.length === 0) return judged();
  const { sourceCni } = facts;
  if (!sourceCni.known) return unjudged(MISSING.sourceCni);
  if (sourceCni.value === 'none' || sourceCni.value === 'cilium') return judged();
  return judged(watching.map((target) => describe(target, sourceCni.value)));
}

function describe(target: TargetFacts, source: string): Finding {
  const set = target.at(KEY);
  const state = set === undefined ? 'is not set, and its default is true' : `is ${set.value}`;
  return finding(hazard, {
    certainty: 'proven',
    message: `${KEY} ${state}. While ${source} still serves the nodes that CoreDNS runs on, its pods have no CiliumEndpoint; the operator deletes one of them at a time, at least five minutes apart for the same name, and does so again as long as that lasts.`,
    evidence: [evidenceAt(set?.source ?? target.values.nearest(KEY), set?.value)],
    fix: {
      summary: 'Switch the watcher off until the last node is migrated.',
      patch: 'operator:\n  unmanagedPodWatcher:\n    restart: false\n',
    },
  });
}
