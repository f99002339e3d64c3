/** Files that appear whole or not at all: written beside their place, then moved into it. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  /** Permissions, where they are not those of any new file. */
  readonly mode?: number;
}

/** All of the files, the last one last: who finds it finds the others too. */
export function writeWhole(files: readonly FileToWrite[]): void {
  const unfinished = files.map(({ path, text, mode }) => ({
    path,
    text,
    options: mode === undefined ? {} : { mode },
    beside: `${path}.${process.pid}.tmp`,
  }));
  try {
    for (const { path, beside, text, options } of unfinished) {
      makeDirectory(dirname(path));
      writeFileSync(beside, text, options);
    }
    for (const { path, beside } of unfinished) renameSync(beside, path);
  } catch (error) {
    for (const { beside } of unfinished) rmSync(beside, { force: true });
    throw error;
  }
}

/** One by one: mkdirSync's own `recursive` never ends below /proc (Node 20). */
function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let at = directory; !existsSync(at) && dirname(at) !== at; at = dirname(at))
    missing.push(at);
  for (const path of missing.toReversed()) mkdirSync(path);
}
