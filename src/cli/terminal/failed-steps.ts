/** The steps or commands that failed, with their words: first, since the rest follows from them. */
import type { Colors } from 'picocolors/types.js';
import { showSeconds } from '../../report/duration.ts';
import type { Rehearsal } from '../../model/rehearsal.ts';
import { wrapText } from './wrap-text.ts';

const SHOWN_MAX = 5;

export function failedStepLines(
  { failedSteps }: Rehearsal,
  width: number,
  colours: Colors,
): readonly string[] {
  if (failedSteps.length === 0) return [];
  const more = failedSteps.length - SHOWN_MAX;
  return [
    '',
    colours.bold(`Failed (${failedSteps.length})`),
    '',
    ...failedSteps.slice(0, SHOWN_MAX).flatMap(({ title, at, message }) => [
      ...wrapText(`${showSeconds(at)}: ${title}`, width - 2).map((line) => `  ${line}`),
      ...message
        .trimEnd()
        .split('\n')
        .flatMap((text) => wrapText(text, width - 6))
        .map((line) => colours.dim(`      ${line}`)),
    ]),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
