/** Causes of a rehearsal as a tree: what was seen, and under it why, down to what began it. */
import type { Colors } from 'picocolors/types.js';
import type { Rehearsal } from '../../model/rehearsal.ts';
import { type CauseGroup, groupCauses, groupSymptoms } from '../../report/cause-groups.ts';
import { plural } from '../../report/duration.ts';
import { wrapText } from './wrap-text.ts';

/** Symptoms shown; the report has them all. */
const SYMPTOMS_MAX = 8;
const MESSAGE_LENGTH_MAX = 220;

export function causeTree(rehearsal: Rehearsal, width: number, colours: Colors): string {
  const causes = new Map(groupCauses(rehearsal).map((cause) => [cause.id, cause]));
  const symptoms = groupSymptoms(rehearsal);
  const told = new Set<string>();
  const lines = symptoms
    .slice(0, SYMPTOMS_MAX)
    .flatMap(({ symptom, count, example, rootCauses, nodes }) => [
      colours.bold(`${count} × ${symptom}`) + colours.dim(onNodes(nodes)),
      ...indented(wrapText(shorten(example), width - 4), '    ', colours.dim),
      ...rootCauses.flatMap((id, index) =>
        branch(id, causes, '  ', index === rootCauses.length - 1, told, width, colours),
      ),
      '',
    ]);
  const hidden = symptoms.length - SYMPTOMS_MAX;
  return [
    ...lines,
    ...(hidden > 0 ? [colours.dim(`… and ${plural(hidden, 'more symptom')} in the report`)] : []),
  ].join('\n');
}

/** A cause is told in full once; after that only its name stands there. */
function branch(
  id: string,
  causes: ReadonlyMap<string, CauseGroup>,
  indent: string,
  isLast: boolean,
  told: Set<string>,
  width: number,
  colours: Colors,
): readonly string[] {
  const cause = causes.get(id);
  if (cause === undefined) return [];
  const covers = cause.covers.length === 0 ? '' : colours.dim(` [${cause.covers.join(', ')}]`);
  const head = `${indent}${isLast ? '└─' : '├─'} ${colours.yellow(cause.title)}${covers}${colours.dim(onNodes(cause.nodes))}`;
  if (told.has(id) || cause.detail === undefined) return [head];
  told.add(id);
  const deeper = `${indent}${isLast ? '   ' : '│  '}`;
  return [
    head,
    ...indented(
      wrapText(shorten(cause.detail), width - deeper.length - 3),
      `${deeper}   `,
      colours.dim,
    ),
  ];
}

function onNodes(nodes: readonly string[]): string {
  if (nodes.length === 0) return '';
  return nodes.length <= 3 ? ` on ${nodes.join(', ')}` : ` on ${nodes.length} nodes`;
}

function indented(
  lines: readonly string[],
  indent: string,
  style: (text: string) => string,
): readonly string[] {
  return lines.map((line) => indent + style(line));
}

function shorten(text: string): string {
  return text.length <= MESSAGE_LENGTH_MAX ? text : `${text.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}
