/** A generated cluster written as the snapshot kubectl and talosctl would print, in a folder of its own. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expandCluster } from '../src/twin/scenario/expand-cluster.ts';
import { largeCluster } from '../src/twin/scenario/large-cluster.ts';
import { snapshotFiles } from '../src/twin/scenario/snapshot-files.ts';

export interface LargeSnapshot {
  readonly folder: string;
  readonly bytes: number;
}

export function writeLargeSnapshot(
  parent: string,
  size: { readonly nodes: number; readonly pods: number },
): LargeSnapshot {
  const folder = join(parent, `snapshot-${size.nodes}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let bytes = 0;
  for (const { name, text } of snapshotFiles(expandCluster(largeCluster(size)))) {
    writeFileSync(join(folder, name), text);
    bytes += text.length;
  }
  return { folder, bytes };
}

/** Milliseconds that `JSON.parse` takes over the snapshot's JSON, the best of three. */
export function timeJsonParse({ folder }: LargeSnapshot): number {
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run += 1) {
    const start = performance.now();
    for (const text of texts) JSON.parse(text);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
