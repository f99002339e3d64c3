/**
 * A run on a terminal while it goes: phases, waves, the steps that run with how long they take, gates
 * that are waited for and why, what ended, what is left. In a pipe, a line when something happens.
 */
import type { Colors } from 'picocolors/types.js';
import type { RunEvent } from '../../model/run-event.ts';
import { showSeconds } from '../../report/duration.ts';
import type { OutputStream } from '../context.ts';
import type { RunView } from './run-view.ts';

export interface RunProgress {
  onEvent(event: RunEvent): void;
  /** Something a person wants to know that is no event of the run. */
  say(message: string): void;
  finish(): void;
}

const PAINT_MS = 250;
const RUNNING_SHOWN = 6;

/** `view` is kept up to date by whoever calls, before `onEvent`. */
export async function runProgress(
  stream: OutputStream,
  view: RunView,
  colours: Colors,
): Promise<RunProgress> {
  return stream.isTTY === true ? liveProgress(stream, view, colours) : plainProgress(stream);
}

async function liveProgress(
  stream: OutputStream,
  view: RunView,
  colours: Colors,
): Promise<RunProgress> {
  const { createLogUpdate } = await import('log-update');
  const paint = createLogUpdate(process.stderr, { showCursor: true });
  const began = performance.now();
  let said = 'p or Ctrl-C pauses at the next safe point';
  const draw = (): void => {
    const seconds = Math.max(view.seconds, (performance.now() - began) / 1000);
    paint(runLines(view, { seconds, said, width: stream.columns ?? 80 }, colours).join('\n'));
  };
  const timer = setInterval(draw, PAINT_MS);
  return {
    onEvent: () => undefined,
    say: (message) => {
      said = message;
      draw();
    },
    finish: () => {
      clearInterval(timer);
      draw();
      paint.done();
    },
  };
}

interface Frame {
  readonly seconds: number;
  readonly said: string;
  readonly width: number;
}

export function runLines(
  view: RunView,
  { seconds, said, width }: Frame,
  colours: Colors,
): readonly string[] {
  const { plan, running, ended } = view;
  const left = view.secondsLeft();
  const clock = `${showSeconds(seconds)}${left === undefined ? '' : `, about ${showSeconds(roughly(left))} left`}`;
  const wave = view.wave();
  const now = [...running.values()];
  // Cut before it is coloured: codes take no columns.
  const line = (text: string): string => cut(text, width - 12);
  return [
    `${colours.bold(plan.cluster.name)}  ${view.stepsDone} of ${plan.steps.length} steps  ${colours.cyan(clock)}`,
    ...view.phases().map(({ phase, done, total }) => {
      const mark = done === total ? colours.green('✓') : done > 0 ? '…' : ' ';
      const isMoving = phase === 'move-nodes' && done > 0 && done < total && wave !== undefined;
      const note = isMoving ? `  wave ${wave} of ${plan.waves.length}` : '';
      return `  ${mark} ${line(`${phase.padEnd(20)} ${done} of ${total}${note}`)}`;
    }),
    ...ended.map(({ title, state, seconds: took }) => {
      const mark = state === 'failed' ? colours.red('✗') : colours.green('✓');
      return `  ${mark} ${line(`${title} (${showSeconds(took)})`)}`;
    }),
    ...now
      .slice(0, RUNNING_SHOWN)
      .map(({ title, since, waits }) =>
        waits === undefined
          ? `  … ${line(`${title} (${showSeconds(Math.max(0, seconds - since))})`)}`
          : `  ${colours.yellow('waits')} ${line(`${title}: ${waits}`)}`,
      ),
    ...(now.length > RUNNING_SHOWN ? [`  … and ${now.length - RUNNING_SHOWN} more`] : []),
    ...(view.notice === '' ? [] : [colours.dim(`  ${line(view.notice)}`)]),
    colours.dim(line(said)),
  ];
}

/** No more digits than are known. */
function roughly(seconds: number): number {
  if (seconds >= 600) return Math.round(seconds / 60) * 60;
  return seconds >= 60 ? Math.round(seconds / 10) * 10 : Math.ceil(seconds);
}

function cut(text: string, width: number): string {
  return [...text].slice(0, Math.max(0, width)).join('');
}

function plainProgress(stream: OutputStream): RunProgress {
  const write = (at: number, words: string): void => stream.write(`${showSeconds(at)}: ${words}\n`);
  return {
    onEvent: (event) => {
      const words = wordsOf(event);
      if (words !== undefined) write(event.at, words);
    },
    say: (message) => stream.write(`${message}\n`),
    finish: () => undefined,
  };
}

function wordsOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'step': {
      if (event.state === 'already-done') return undefined;
      const why = event.message === undefined ? '' : `: ${event.message}`;
      return `${event.state}: ${event.title}${why}`;
    }
    case 'gate':
      return event.state === 'holds'
        ? undefined
        : `${event.state}: ${event.gate}: ${event.message}`;
    default:
      return event.message;
  }
}
