/** How far a sweep is: on a terminal one line that changes, in a pipe a line at each tenth. */
import type { Colors } from 'picocolors/types.js';
import type { FaultedResult, SweepOutcome } from '../../model/fault-sweep.ts';
import type { CliContext } from '../context.ts';

export interface SweepProgress {
  onResult(result: FaultedResult, done: number): void;
  finish(): void;
}

/** Repainting more often than this only costs time (milliseconds between paints). */
const PAINT_INTERVAL_MS = 100;
const WIDTH = 30;

export async function startSweepProgress(
  context: CliContext,
  rehearsals: number,
  colours: Colors,
): Promise<SweepProgress> {
  const counts = { clean: 0, resumed: 0, stopped: 0, broken: 0 };
  const { stderr } = context.process;
  if (stderr.isTTY !== true) {
    const tenth = Math.max(1, Math.floor(rehearsals / 10));
    return {
      onResult: ({ outcome }, done) => {
        counts[outcome] += 1;
        if (done % tenth === 0 || done === rehearsals)
          stderr.write(`${done} of ${rehearsals} rehearsals: ${showCounts(counts)}\n`);
      },
      finish: () => undefined,
    };
  }
  const { createLogUpdate } = await import('log-update');
  const paint = createLogUpdate(process.stderr, { showCursor: true });
  const startedAt = performance.now();
  let lastPaint = 0;
  return {
    onResult: ({ outcome }, done) => {
      counts[outcome] += 1;
      if (done < rehearsals && performance.now() - lastPaint < PAINT_INTERVAL_MS) return;
      lastPaint = performance.now();
      const filled = Math.round((WIDTH * done) / rehearsals);
      const bar = `${colours.cyan('━'.repeat(filled))}${colours.dim('━'.repeat(WIDTH - filled))}`;
      const left = ((lastPaint - startedAt) / 1000 / done) * (rehearsals - done);
      paint(
        `${bar} ${done} of ${rehearsals}  ${showCounts(counts)}  ${colours.dim(`${Math.ceil(left)} s left`)}`,
      );
    },
    finish: () => paint.done(),
  };
}

function showCounts(counts: Readonly<Record<SweepOutcome, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
}
