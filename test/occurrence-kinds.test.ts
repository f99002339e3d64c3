/**
 * Goal: the vocabulary of occurrences is what the twin says, no more. That it says nothing else, and
 * that hazards name nothing else, the compiler holds; here, that every kind has a place in the twin
 * (not in its observer, which only reads them).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OCCURRENCE_KINDS } from '../src/model/occurrence-kind.ts';

const SOURCE = join(import.meta.dirname, '..', 'src');
/** What strikes in a rehearsal with faults is recorded by who lets it strike. */
const PLACES = [join(SOURCE, 'twin'), join(SOURCE, 'cli', 'faults')];

const texts = PLACES.flatMap((place) =>
  readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => !file.startsWith('observer'))
    .map((file) => readFileSync(join(place, file), 'utf8')),
);

/** As a literal, or put together in a template from its last hyphen or its dot on. */
function isRecorded(kind: string): boolean {
  const [actor = '', what = ''] = kind.split('.');
  const stem = kind.slice(0, kind.lastIndexOf('-') + 1);
  return texts.some(
    (text) =>
      text.includes(`'${kind}'`) ||
      (stem !== '' && text.includes(`occur(\`${stem}\${`)) ||
      (text.includes(`occur(\`${actor}.\${`) && text.includes(`'${what}'`)),
  );
}

describe('occurrence kinds', () => {
  it.each(Object.entries(OCCURRENCE_KINDS))('%s has a mechanism in the twin', (kind, what) => {
    expect(isRecorded(kind)).toBe(true);
    expect(what).toMatch(/^[a-zA-Z][^\n]*[^.\s]$/);
    expect(kind).toMatch(/^[a-z-]+\.[a-z-]+$/);
  });

  it('tell a kind that nobody records', () => {
    expect(isRecorded('nobody.does-this')).toBe(false);
  });
});
