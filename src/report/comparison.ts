/** The side-by-side of rehearsals: the same rows for the terminal and the page. */
import type { Rehearsal } from '../model/rehearsal.ts';
import { plural, showMilliseconds, showSeconds } from './duration.ts';

export interface LabelledRehearsal {
  /** `As it was done`. */
  readonly label: string;
  readonly rehearsal: Rehearsal;
}

export interface ComparisonRow {
  readonly label: string;
  readonly cells: readonly ComparisonCell[];
}

export interface ComparisonCell {
  readonly text: string;
  readonly isBad: boolean;
}

interface Metric {
  readonly label: string;
  show(rehearsal: Rehearsal): string;
  isBad(rehearsal: Rehearsal): boolean;
}

const METRICS: readonly Metric[] = [
  {
    label: 'Outcome',
    show: ({ outcome }) => outcome,
    isBad: ({ outcome }) => outcome !== 'clean',
  },
  {
    label: 'Pods stuck at the end',
    show: ({ summary }) =>
      `${summary.podsStuck.toLocaleString('en')} of ${summary.pods.toLocaleString('en')}`,
    isBad: ({ summary }) => summary.podsStuck > 0,
  },
  {
    label: 'Longest path gap',
    show: ({ summary }) => showMilliseconds(summary.longestPathGapMs),
    isBad: ({ summary }) => summary.longestPathGapMs > 60_000,
  },
  {
    label: 'DNS outage',
    show: ({ summary }) => showSeconds(summary.dnsOutageSeconds),
    isBad: ({ summary }) => summary.dnsOutageSeconds > 0,
  },
  {
    label: 'API calls answered 401',
    show: ({ summary }) => summary.apiUnauthorized.toLocaleString('en'),
    isBad: ({ summary }) => summary.apiUnauthorized > 0,
  },
  {
    label: 'Volumes stuck',
    show: ({ summary }) => summary.volumesStuck.toLocaleString('en'),
    isBad: ({ summary }) => summary.volumesStuck > 0,
  },
  {
    label: 'Restarts per pod, at most',
    show: ({ summary }) => String(summary.maxRestartsPerPod),
    isBad: ({ summary }) => summary.maxRestartsPerPod > 1,
  },
  {
    label: 'Pod outage, median / 99 % / longest',
    show: ({ summary: { podOutageSeconds } }) =>
      [podOutageSeconds.p50, podOutageSeconds.p99, podOutageSeconds.max]
        .map(showSeconds)
        .join(' / '),
    isBad: ({ summary }) => summary.podOutageSeconds.max > 300,
  },
  {
    label: 'Workloads with a budget, no pod ready',
    show: ({ summary: { coveredWorkloads } }) =>
      coveredWorkloads === undefined ? '-' : showSeconds(coveredWorkloads.outageSeconds.max),
    isBad: ({ summary }) => (summary.coveredWorkloads?.outageSeconds.max ?? 0) > 0,
  },
  {
    label: 'Policies not enforced for',
    show: ({ summary }) => showSeconds(summary.policyGapSeconds),
    isBad: ({ summary }) => summary.policyGapSeconds > 0,
  },
  {
    label: 'Makespan',
    show: ({ summary }) => showSeconds(summary.makespanSeconds),
    isBad: () => false,
  },
];

export function compare(runs: readonly LabelledRehearsal[]): readonly ComparisonRow[] {
  return METRICS.map((metric) => ({
    label: metric.label,
    cells: runs.map(({ rehearsal }) => ({
      text: metric.show(rehearsal),
      isBad: metric.isBad(rehearsal),
    })),
  }));
}

/** One sentence that says how a rehearsal ended. */
export function verdict({ outcome, summary, failedSteps }: Rehearsal): string {
  const time = showSeconds(summary.makespanSeconds);
  switch (outcome) {
    case 'clean':
      return `Ends clean after ${time}: every pod came back, none restarted more than ${plural(summary.maxRestartsPerPod, 'time')}.`;
    case 'degraded':
      return `Ends after ${time} with every pod back, but something was lost on the way.`;
    case 'stuck':
      if (summary.podsStuck === 0 && failedSteps[0] !== undefined)
        return `Stops after ${time} at “${failedSteps[0].title}”: ${firstLine(failedSteps[0].message)}`;
      return `Does not end: after ${time}, ${plural(summary.podsStuck, 'pod')} cannot start and nothing in the plan would free them.`;
    case 'harmful':
      return `Does harm that running it again cannot undo, within ${time}.`;
  }
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? '';
}
