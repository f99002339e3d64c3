/** What of the given files was not used: what is not said would be taken for read. */
import type { Colors } from 'picocolors/types.js';
import type { FilesRead } from '../drivers/files/read-files.ts';
import type { ClusterInput } from '../model/cluster-input.ts';

export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export function leftOutOf({ skipped }: FilesRead, { ignored }: ClusterInput): readonly LeftOut[] {
  return [
    ...ignored.map(({ source, reason }) => ({ path: source.file ?? '', reason })),
    ...skipped,
  ];
}

const SHOWN_MAX = 10;

/** A line each; none when nothing was left out. */
export function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  const lines = leftOut
    .slice(0, SHOWN_MAX)
    .map(({ path, reason }) => (path === '' ? reason : `${path}: ${reason}`));
  const more = leftOut.length - SHOWN_MAX;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

/** As a section of its own, below what was made of the rest; empty when nothing was left out. */
export function leftOutSection(leftOut: readonly LeftOut[], colours: Colors): string {
  if (leftOut.length === 0) return '';
  const lines = leftOutLines(leftOut).map((line) => `  - ${line}`);
  return ['', colours.bold('Left out'), ...lines, ''].join('\n');
}
