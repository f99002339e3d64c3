/** FM-74: direct node routes beside a tunnel. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  chartTargets,
  effectiveOf,
  missingTargets,
  versionsWhere,
  type ChartTarget,
} from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';

export const hazard: Hazard = {
  id: 'direct-routes-with-tunnel',
  covers: ['FM-74'],
  title: 'autoDirectNodeRoutes beside a tunnel: the agent does not start',
  severity: 'critical',
  holdsFor: 'Cilium 1.13 to 1.20',
  why: 'Routes from node to node are for native routing. In tunnel mode packets have to go through the tunnel device, and the agent ends at once when it is asked for both. Off is the default, and has nothing to do with keeping two overlays apart.',
  references: [
    'cilium:daemon/cmd/daemon_main.go@v1.16.5',
    'cilium:Documentation/network/concepts/routing.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.direct-routes-refused'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  return judgedInPart(chartTargets(facts).flatMap(judge), missingTargets(facts));
}

function judge(chart: ChartTarget): readonly Finding[] {
  const { target } = chart;
  const set = target.at('autoDirectNodeRoutes');
  const hit = versionsWhere(chart, (version) => refused(chart, version) !== undefined);
  if (set === undefined || hit === undefined) return [];
  const words = refused(chart, hit.versions.at(-1) ?? '') ?? '';
  return [
    finding(hazard, {
      certainty: hit.certainty,
      message: `autoDirectNodeRoutes is true and Cilium tunnels between nodes. The agent ends with "${words}"`,
      evidence: [evidenceAt(set.source, set.value)],
      fix: {
        summary: 'Leave it off in tunnel mode, or route natively (routingMode: native).',
        patch: 'autoDirectNodeRoutes: false\n',
      },
    }),
  ];
}

function refused(chart: ChartTarget, version: string): string | undefined {
  const { refusals } = effectiveOf(chart, version);
  return refusals.find(({ path }) => path === 'autoDirectNodeRoutes')?.message;
}
