/** A file of a case, or a directory with what is in it, or a link, put where the case has it. */
import type { FileSetup } from './cases.ts';
import type { ActedFiles } from './file-actions.ts';

export function placeFile(
  files: Pick<ActedFiles, 'write' | 'symlink' | 'mkdir'>,
  path: string,
  what: FileSetup,
): void {
  if (typeof what === 'string') files.write(path, what);
  else if ('content' in what) {
    files.write(path, what.content, { mode: Number.parseInt(what.mode ?? '644', 8) });
  } else if (what.type === 'symlink') files.symlink(path, what.target);
  else {
    files.mkdir(path);
    for (const [inner, text] of Object.entries(what.entries)) files.write(`${path}/${inner}`, text);
  }
}
