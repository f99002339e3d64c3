/** The side-by-side of rehearsals as a text table. */
import Table from 'cli-table3';
import type { Colors } from 'picocolors/types.js';
import { compare, type LabelledRehearsal } from '../../report/comparison.ts';

/** Borders that survive copy and paste into a ticket. */
const PLAIN_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export function sideBySide(runs: readonly LabelledRehearsal[], colours: Colors): string {
  const table = new Table({
    head: ['', ...runs.map(({ label }) => colours.bold(label))],
    chars: PLAIN_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const { label, cells } of compare(runs)) {
    table.push([
      label,
      ...cells.map(({ text, isBad }) => (isBad ? colours.red(text) : colours.green(text))),
    ]);
  }
  return table.toString().replaceAll(/[ \t]+$/gm, '');
}
