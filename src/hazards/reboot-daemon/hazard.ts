/** FM-55: something else drains and reboots nodes on its own schedule. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { nameOf, objectsOf, runsImage, templates } from '../objects.ts';

export const hazard: Hazard = {
  id: 'reboot-daemon',
  covers: ['FM-55'],
  title: 'Something else drains and reboots nodes',
  severity: 'high',
  holdsFor: 'kured, system-upgrade-controller, Cluster API health checks, descheduler',
  why: 'A daemon with its own idea of when to drain a node shares the cordon flag and the budgets with the migration. It can take a second node down while the first is in its step, and it runs on the pod network itself: when that breaks, it can neither finish nor release its lock.',
  references: [
    'kubereboot/kured#137',
    'kubereboot/kured#827',
    'kubereboot/kured#929',
    'rancher/system-upgrade-controller#78',
  ],
  foretell,
  signs: { occurrences: [] },
};

const IMAGES = ['kured', 'system-upgrade-controller', 'descheduler'];

function foretell(facts: ClusterFacts): Foretelling {
  const others = [
    ...templates(facts)
      .filter(({ spec, replicas }) => runsImage(spec, ...IMAGES) && replicas !== 0)
      .map(({ owner }) => owner),
    ...objectsOf(facts, 'MachineHealthCheck').map(({ object, source }) => ({
      value: object,
      source,
    })),
  ];
  if (others.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(others.map(({ value }) => nameOf(value)))} ${others.length === 1 ? 'drains, reboots or replaces' : 'drain, reboot or replace'} nodes by itself. A node that is not Ready for some minutes, or that wants a reboot, is acted on in the middle of its step, next to the one the migration has taken.`,
      evidence: firstOf(others.map(({ source }) => evidenceAt(source))),
      fix: {
        summary:
          'Stop it for the time of the migration (scale to zero, pause, or hold its lock), and start it again at the end.',
      },
    }),
  ]);
}
