/** What going back costs, point by point, as a table. */
import Table from 'cli-table3';
import type { Colors } from 'picocolors/types.js';
import type { RollbackPoint, RollbackRehearsal } from '../../model/rollback-rehearsal.ts';
import { plural, showSeconds } from '../../report/duration.ts';
import { NO_RULES } from './table-borders.ts';

export function rollbackText(
  { name, points, pointsOfNoReturn }: RollbackRehearsal,
  colours: Colors,
): string {
  const table = new Table({
    head: ['Back from after', '', 'Way back', 'Restarts per pod', 'Pod away', 'Longest gap'],
    style: { head: [], border: [] },
    chars: NO_RULES,
  });
  const finals = new Set(pointsOfNoReturn);
  for (const point of points) {
    table.push([
      finals.has(point.after) ? `${point.after} *` : point.after,
      point.outcome === 'back' ? colours.green('back') : colours.red('broken'),
      showSeconds(point.seconds),
      `${point.maxRestartsPerPod}`,
      showSeconds(point.maxPodOutageSeconds),
      `${point.longestPathGapMs} ms`,
    ]);
  }
  const broken = points.filter(({ outcome }) => outcome === 'broken');
  return [
    '',
    colours.bold(`The way back of ${name}`),
    colours.dim('Restarts, outages and gaps are there and back together, as rehearsed on a twin.'),
    '',
    table.toString(),
    ...(finals.size === 0
      ? []
      : ['', '* From here on the way back needs the back-up: what was deleted comes from there.']),
    ...broken.map(({ after, message = '' }: RollbackPoint) =>
      colours.red(`After ${after}: ${message}`),
    ),
    '',
    broken.length === 0
      ? `From each of ${plural(points.length, 'point')} the cluster comes back.`
      : `From ${plural(broken.length, 'point')} of ${points.length} the cluster does not come back.`,
    '',
  ].join('\n');
}
