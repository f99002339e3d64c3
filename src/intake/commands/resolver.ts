/** Files that commands name: found among the given ones, or a `bad-input` at the word that names them. */
import { badInput } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';
import { readDocuments } from '../documents.ts';
import type { InputIndex } from '../input-index.ts';
import { isTable } from '../intake.ts';
import type { InputFile } from '../intake.ts';

export interface FileResolver {
  file(name: string, usedAt: Source): InputFile;
  /** The objects of a manifest, lists taken apart. */
  objects(name: string, usedAt: Source): readonly Readonly<Record<string, unknown>>[];
}

export function fileResolver(index: InputIndex, usedIn: string): FileResolver {
  const file = (name: string, usedAt: Source): InputFile => {
    const found = index.find(name, usedIn);
    if (found === 'several')
      throw badInput(
        `several of the given files could be "${name}"`,
        usedAt,
        'Name it with more of its path.',
      );
    if (found !== undefined) return found;
    throw badInput(
      `the file "${name}" is not among the given ones`,
      usedAt,
      `Give it too: regauge rehearse … ${name}`,
    );
  };
  return {
    file,
    objects: (name, usedAt) => {
      const found = file(name, usedAt);
      return readDocuments(found).flatMap(({ tree, items }) =>
        (items ?? [tree]).map(({ value, source }) => {
          if (isTable(value)) return value;
          throw badInput('not a Kubernetes object', source);
        }),
      );
    },
  };
}
