/** Why a file cannot be read, as one `bad-input` in words that help. */
import { RegaugeError } from '../../base/errors.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'is a directory',
};

/** An error of the file system; one that is told already stays as it is. */
export function readError(file: string, error: unknown): RegaugeError {
  if (error instanceof RegaugeError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = WHY[code] ?? (error instanceof Error ? error.message : String(error));
  const hint = code === 'ENOENT' ? 'Check the path; "-" reads standard input.' : undefined;
  return new RegaugeError('bad-input', `cannot read the file: ${why}`, {
    source: { file },
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
