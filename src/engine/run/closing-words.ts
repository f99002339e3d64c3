/** How a run ended, in a sentence. */
import type { Plan } from '../../model/plan.ts';
import type { RunResult } from '../run-plan.ts';

export function closingWords(
  { steps }: Plan,
  { outcome, failed, halted, reached, done }: RunResult,
): string {
  const total = steps.length;
  if (outcome === 'done') return `all ${done.length} steps are done`;
  if (outcome === 'paused')
    return `paused at a safe point: ${done.length} of ${total} steps are done`;
  if (halted !== undefined) {
    const within =
      halted.steps.length === 0 ? 'between steps' : `within ${halted.steps.join(', ')}`;
    return `${halted.message}; ${done.length} of ${total} steps are done, ended ${within}`;
  }
  const begun = new Set(reached);
  const undoable = steps.filter(({ id, undo }) => undo !== null && begun.has(id));
  const offer =
    undoable.length === 0 ? 'nothing needs undoing' : `${undoable.length} steps can be undone`;
  return `stopped at ${failed?.step ?? 'an unknown step'}: ${failed?.message ?? ''}; ${offer}`;
}

export function endingOf({ outcome }: RunResult): 'pause' | 'done' {
  return outcome === 'paused' || outcome === 'halted' ? 'pause' : 'done';
}
