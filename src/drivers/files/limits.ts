/**
 * How much is read of what. Bounds are there so that a wrong path ends in one clear sentence and
 * not in an exhausted machine; each is far above what a real cluster's files need.
 */
import { constants } from 'node:buffer';

export interface FileLimits {
  /** YAML and other text: the positions kept while parsing cost many times the text. */
  readonly textBytes: number;
  /** JSON: the longest text this runtime can hold in one string (`buffer.constants`). */
  readonly jsonBytes: number;
  /** Files taken from directories and archives, together. */
  readonly files: number;
  /** Levels below a directory given. */
  readonly depth: number;
}

export const FILE_LIMITS: FileLimits = {
  textBytes: 64 * 2 ** 20,
  jsonBytes: Math.min(2 ** 30, constants.MAX_STRING_LENGTH),
  files: 100_000,
  depth: 32,
};

export function showBytes(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} B`;
  if (bytes < 2 ** 20) return `${Math.round(bytes / 2 ** 10)} KiB`;
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
