/** FM-61: on three Talos releases a kubelet restart cuts running pods off from new tokens. */
import { inRange } from '../../base/versions.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, listOf, MISSING, unjudged } from '../finding.ts';
import { runbookSteps } from '../runbooks.ts';

export const hazard: Hazard = {
  id: 'kubelet-restart-token',
  covers: ['FM-61'],
  title: 'A kubelet restart breaks token refresh for every running pod',
  severity: 'medium',
  holdsFor: 'Talos 1.13.0 to 1.13.2',
  why: "On these releases the kubelet's directory is mounted so that what a restarted kubelet writes does not reach pods that run. Their tokens are never renewed again and run out. A restart of the kubelet, often given as a cure for 401s, is itself the outage there.",
  references: ['siderolabs/talos#13352', 'siderolabs/talos#13355'],
  foretell,
  signs: { occurrences: ['kubelet.token-mount-lost'] },
};

const AFFECTED = '>=1.13.0 <1.13.3';

function foretell(facts: ClusterFacts): Foretelling {
  const { distribution } = facts.cluster;
  if (distribution.known && distribution.value !== 'talos') return judged();
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const affected = facts.nodes.value.filter(
    ({ talosVersion }) => talosVersion.known && inRange(talosVersion.value, AFFECTED),
  );
  if (affected.length === 0) return judged();
  const restarts: readonly Evidence[] = runbookSteps(facts).flatMap(({ step, source }) =>
    'talos' in step && step.talos.action === 'service-restart' && step.talos.service === 'kubelet'
      ? [evidenceAt(source, 'kubelet')]
      : [],
  );
  const planned = restarts.length > 0;
  return judged([
    finding(hazard, {
      severity: planned ? 'critical' : 'medium',
      certainty: 'proven',
      message: `${listOf(affected.map(({ name }) => name))} ${affected.length === 1 ? 'runs' : 'run'} a Talos release on which a restart of the kubelet cuts running pods off from new tokens. ${planned ? 'The runbook restarts it.' : 'No step may restart it, and neither may a person who sees 401s.'} Pods that were made before the restart get Unauthorized when their token ends.`,
      evidence: firstOf([
        ...restarts,
        ...affected.map(({ source, object }) =>
          evidenceAt(
            { ...source, path: 'status.nodeInfo.osImage' },
            object.status.nodeInfo?.osImage,
          ),
        ),
      ]),
      fix: {
        summary:
          'Upgrade Talos to 1.13.3 or later first, on its own. Until then delete the one pod that needs a token instead of restarting the kubelet.',
      },
    }),
  ]);
}
