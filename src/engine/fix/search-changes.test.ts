/** Goal: the smallest set is found, all of its size are told, and no more is tried than was allowed. */
import { expect, it } from 'vitest';
import { searchChanges } from './search-changes.ts';

interface Change {
  readonly id: string;
  readonly about: string;
}

const CANDIDATES: readonly Change[] = [
  { id: 'a1', about: 'a' },
  { id: 'a2', about: 'a' },
  { id: 'b', about: 'b' },
  { id: 'c', about: 'c' },
];
const LIMITS = { sizeMax: 3, trialsMax: 100 };

function search(isFix: (ids: readonly string[]) => boolean, limits = LIMITS) {
  return searchChanges(
    CANDIDATES,
    (changes) => Promise.resolve(changes.map(({ id }) => id)),
    isFix,
    limits,
  );
}

it('tries all of the smallest size that has a clean one, and nothing larger', async () => {
  const found = await search((ids) => ids.includes('a2') || ids.includes('c'));
  expect(found.clean.map(({ result }) => result)).toEqual([['a2'], ['c']]);
  expect(found.tried.map(({ result }) => result)).toEqual([['a1'], ['a2'], ['b'], ['c']]);
  expect(found.exhausted).toBe(true);
});

it('takes two where none does alone, and never two choices of the same', async () => {
  const found = await search((ids) => ids.includes('b') && ids.includes('c'));
  expect(found.clean.map(({ result }) => result)).toEqual([['b', 'c']]);
  expect(found.tried.map(({ result }) => result)).not.toContainEqual(['a1', 'a2']);
});

it('says that it gave up when trials ran out', async () => {
  const found = await search(() => false, { sizeMax: 3, trialsMax: 6 });
  expect(found.tried).toHaveLength(6);
  expect(found).toMatchObject({ clean: [], exhausted: false });
});

it('says that all was tried when nothing helps', async () => {
  const found = await search(() => false, { sizeMax: 4, trialsMax: 100 });
  expect(found).toMatchObject({ clean: [], exhausted: true });
  // 4 alone, 5 of two, 2 of three: a1 and a2 exclude each other.
  expect(found.tried).toHaveLength(11);
});
