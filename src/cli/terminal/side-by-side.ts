/** The side-by-side of rehearsals as a text table. */
import Table from 'cli-table3';
import type { Colors } from 'picocolors/types.js';
import { compare, type LabelledRehearsal } from '../../report/comparison.ts';
import { NO_BORDERS } from './table-borders.ts';

export function sideBySide(runs: readonly LabelledRehearsal[], colours: Colors): string {
  const table = new Table({
    head: ['', ...runs.map(({ label }) => colours.bold(label))],
    chars: { ...NO_BORDERS, middle: '  ' },
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
