/** The timeline of a rehearsal: what the run did, and the few things that happened to machines. */
import type { Occurrence } from '../model/occurrence.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { FailedStep, TimelineEntry } from '../model/rehearsal.ts';

/** More entries than this are not read by anybody; steps are kept before occurrences. */
const ENTRIES_MAX = 2_000;
const MACHINE_KINDS = /^(talos|machine|helm|node)\./;

export function timelineOf(
  events: readonly RunEvent[],
  occurrences: readonly Occurrence[],
): readonly TimelineEntry[] {
  const steps = events.flatMap(entryOf);
  const machines = occurrences
    .filter(({ kind }) => MACHINE_KINDS.test(kind))
    .slice(0, Math.max(0, ENTRIES_MAX - steps.length))
    .map(({ at, node, message }) => ({
      at: at / 1000,
      ...(node === undefined ? {} : { node }),
      event: message,
    }));
  return [...steps.slice(0, ENTRIES_MAX), ...machines].toSorted(
    (left, right) => left.at - right.at,
  );
}

export function failedSteps(events: readonly RunEvent[]): readonly FailedStep[] {
  return events.flatMap((event) =>
    event.type === 'step' && event.state === 'failed'
      ? [{ step: event.step, title: event.title, at: event.at, message: event.message ?? '' }]
      : [],
  );
}

function entryOf(event: RunEvent): readonly TimelineEntry[] {
  if (event.type === 'step') {
    const said = event.message === undefined ? '' : `: ${event.message}`;
    const [node, ...others] = event.nodes;
    const place = node === undefined || others.length > 0 ? {} : { node };
    return [
      { at: event.at, ...place, step: event.step, event: `${event.state}: ${event.title}${said}` },
    ];
  }
  if (event.type === 'gate') {
    if (event.state === 'holds') return [];
    return [
      {
        at: event.at,
        step: event.step,
        event: `gate ${event.gate} ${event.state}: ${event.message}`,
      },
    ];
  }
  const node = 'node' in event && event.node !== undefined ? { node: event.node } : {};
  return [{ at: event.at, ...node, event: event.message }];
}
