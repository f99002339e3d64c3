/** What of the given files was not used: what is not said would be taken for read. */
import type { Colors } from 'picocolors/types.js';
import { groupBy } from '../base/group-by.ts';
import type { FilesRead } from '../drivers/files/read-files.ts';
import type { Bundle } from '../intake/bundles.ts';
import {
  EMPTY_LIST,
  FLANNEL_STATE_FILE,
  SNAPSHOT_MANIFEST,
  TALOS_STATUS,
} from '../intake/intake.ts';
import type { ClusterInput } from '../model/cluster-input.ts';

export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

const NOTHING_LOST = new Set([EMPTY_LIST, FLANNEL_STATE_FILE, SNAPSHOT_MANIFEST, TALOS_STATUS]);

export function leftOutOf({ skipped }: FilesRead, { ignored }: ClusterInput): readonly LeftOut[] {
  const lost = ignored.filter(({ reason }) => !NOTHING_LOST.has(reason));
  return [...lost.map(({ source, reason }) => ({ path: source.file ?? '', reason })), ...skipped];
}

const SHOWN_MAX = 10;
const ALIKE_MAX = 5;

/** A line each, or one for all of a reason that many files share; none when nothing was left out. */
export function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  const lines = [...groupBy(leftOut, ({ reason }) => reason)].flatMap(([reason, files]) => {
    const [first] = files;
    return files.length > ALIKE_MAX && first !== undefined
      ? [`${files.length} files, for one ${first.path}: ${reason}`]
      : files.map(({ path }) => (path === '' ? reason : `${path}: ${reason}`));
  });
  const more = lines.length - SHOWN_MAX;
  return more > 0 ? [...lines.slice(0, SHOWN_MAX), `and ${more} more`] : lines;
}

/** What the bundles among the files never hold, a line for each thing. */
export function untoldLines(bundles: readonly Bundle[]): readonly string[] {
  return bundles.flatMap(({ kind, root, cannotTell }) =>
    cannotTell.map((what) => `${root}: a ${kind} does not tell ${what}`),
  );
}

/** Sections below what was made of the rest; empty when there is nothing to say. */
export function leftOutSection(
  {
    leftOut,
    bundles,
  }: { readonly leftOut: readonly LeftOut[]; readonly bundles: readonly Bundle[] },
  colours: Colors,
): string {
  return [
    ...sectionOf('Not told', untoldLines(bundles), colours),
    ...sectionOf('Left out', leftOutLines(leftOut), colours),
    '',
  ].join('\n');
}

function sectionOf(title: string, lines: readonly string[], colours: Colors): readonly string[] {
  return lines.length === 0 ? [] : ['', colours.bold(title), ...lines.map((line) => `  - ${line}`)];
}
