/**
 * Live progress of a rehearsal on a terminal: virtual time, the step that runs, the last that ended.
 * In a pipe it says each step once, so that a log stays readable.
 */
import type { Colors } from 'picocolors/types.js';
import type { RunEvent } from '../../model/run-event.ts';
import { showSeconds } from '../../report/duration.ts';
import type { CliContext } from '../context.ts';

export interface Progress {
  onEvent(event: RunEvent): void;
  finish(line: string): void;
}

const RECENT_STEPS = 4;
/** Repainting more often than this only costs time (milliseconds between paints). */
const PAINT_INTERVAL_MS = 40;

export async function startProgress(
  context: CliContext,
  label: string,
  colours: Colors,
): Promise<Progress> {
  return context.process.stderr.isTTY === true
    ? liveProgress(label, colours)
    : plainProgress(context, label);
}

async function liveProgress(label: string, colours: Colors): Promise<Progress> {
  const { createLogUpdate } = await import('log-update');
  const paint = createLogUpdate(process.stderr, { showCursor: true });
  const ended: string[] = [];
  let running = '';
  let lastPaint = 0;
  return {
    onEvent(event) {
      if (event.type === 'step' && event.state !== 'started') {
        ended.push(`${mark(event.state, colours)} ${event.title}`);
        if (ended.length > RECENT_STEPS) ended.shift();
      }
      if (event.type === 'step' && event.state === 'started') running = event.title;
      if (event.type === 'gate' && event.state === 'waiting') running = event.message;
      if (performance.now() - lastPaint < PAINT_INTERVAL_MS) return;
      lastPaint = performance.now();
      const clock = colours.cyan(showSeconds(event.at).padStart(12));
      paint(
        [
          `${colours.bold(label)}  ${clock}`,
          ...ended.map((line) => `  ${line}`),
          `  ${colours.dim('…')} ${running}`,
        ].join('\n'),
      );
    },
    finish(line) {
      paint(`${colours.bold(label)}  ${line}`);
      paint.done();
    },
  };
}

function plainProgress(context: CliContext, label: string): Progress {
  const { stderr } = context.process;
  return {
    onEvent(event) {
      if (event.type !== 'step' || event.state === 'started') return;
      const why = event.message === undefined ? '' : `: ${event.message}`;
      stderr.write(`${label}: ${showSeconds(event.at)}: ${event.state}: ${event.title}${why}\n`);
    },
    finish(line) {
      stderr.write(`${label}: ${line}\n`);
    },
  };
}

function mark(state: 'done' | 'already-done' | 'failed', colours: Colors): string {
  return state === 'failed' ? colours.red('✗') : colours.green('✓');
}
