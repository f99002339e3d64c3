/** Finds among the given files the one that a runbook names: `-f values.yaml`, `--patch @dns.yaml`. */
import type { InputFile } from './intake.ts';

export interface InputIndex {
  /** The file meant by a name used in another file; `several` when more than one could be. */
  find(name: string, usedIn: string): InputFile | 'several' | undefined;
}

export function inputIndex(files: readonly InputFile[]): InputIndex {
  return {
    find(name, usedIn) {
      const wanted = tidy(name);
      const beside = tidy(`${usedIn.slice(0, usedIn.lastIndexOf('/') + 1)}${name}`);
      const exact =
        files.find(({ path }) => tidy(path) === beside) ??
        files.find(({ path }) => tidy(path) === wanted);
      if (exact !== undefined) return exact;
      const ending = files.filter(({ path }) =>
        `/${tidy(path)}`.endsWith(`/${wanted.replace(/^(\.\.\/)+/, '')}`),
      );
      return ending.length > 1 ? 'several' : ending[0];
    },
  };
}

/** `./a/../b` → `b`. */
function tidy(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
