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
  const tree: Tree = {
    causes: new Map(groupCauses(rehearsal).map((cause) => [cause.id, cause])),
    told: new Set(),
    width,
    colours,
  };
  const symptoms = groupSymptoms(rehearsal);
  const lines = symptoms
    .slice(0, SYMPTOMS_MAX)
    .flatMap(({ symptom, count, example, because, nodes }) => [
      colours.bold(`${count} × ${symptom}`) + colours.dim(onNodes(nodes)),
      ...indented(wrapText(shorten(example), width - 4), '    ', colours.dim),
      ...branches(tree, because, '  ', new Set()),
      '',
    ]);
  const hidden = symptoms.length - SYMPTOMS_MAX;
  return [
    ...lines,
    ...(hidden > 0 ? [colours.dim(`… and ${plural(hidden, 'more symptom')} in the report`)] : []),
  ].join('\n');
}

interface Tree {
  readonly causes: ReadonlyMap<string, CauseGroup>;
  /** Causes that were told in full; after that only the name stands. */
  readonly told: Set<string>;
  readonly width: number;
  readonly colours: Colors;
}

function branches(
  tree: Tree,
  ids: readonly string[],
  indent: string,
  above: ReadonlySet<string>,
): readonly string[] {
  const causes = ids
    .map((id) => tree.causes.get(id))
    .filter((cause) => cause !== undefined)
    .filter((cause) => !above.has(cause.id));
  return causes.flatMap((cause, index) =>
    branch(tree, cause, indent, index === causes.length - 1, above),
  );
}

function branch(
  tree: Tree,
  cause: CauseGroup,
  indent: string,
  isLast: boolean,
  above: ReadonlySet<string>,
): readonly string[] {
  const { colours, width, told } = tree;
  const covers = cause.covers.length === 0 ? '' : colours.dim(` [${cause.covers.join(', ')}]`);
  const wasTold = told.has(cause.id);
  const again = wasTold && cause.because.length > 0 ? colours.dim(' (see above)') : '';
  const title = cause.covers.length === 0 ? cause.title : colours.yellow(cause.title);
  const head = `${indent}${isLast ? '└─' : '├─'} ${title}${covers}${colours.dim(onNodes(cause.nodes))}${again}`;
  if (wasTold) return [head];
  told.add(cause.id);
  const deeper = `${indent}${isLast ? '   ' : '│  '}`;
  const detail = cause.detail === undefined || cause.detail === cause.title ? '' : cause.detail;
  return [
    head,
    ...indented(wrapText(shorten(detail), width - deeper.length - 3), `${deeper}   `, colours.dim),
    ...branches(tree, cause.because, deeper, new Set([...above, cause.id])),
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

/** A sandbox id is 64 digits that nobody reads, and they hide the end that says what is wrong. */
function shorten(message: string): string {
  const text = message.replaceAll(/\b[0-9a-f]{64}\b/g, '…');
  return text.length <= MESSAGE_LENGTH_MAX ? text : `${text.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}
