/** Goal: a cause has one name. That signs are kinds the twin records is held by their type. */
import { expect, test } from 'vitest';
import { HAZARDS } from './registry.ts';

test('a kind of occurrence is the sign of one hazard', () => {
  const signs = HAZARDS.flatMap(({ signs: { occurrences } }) => occurrences);
  expect(signs.filter((kind, index) => signs.indexOf(kind) !== index)).toEqual([]);
});
