/**
 * The catalogue as a whole: nothing half added, nothing silently passed, the same answer whatever
 * the order. Each hazard's own cases are beside it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { describe, expect, test } from 'vitest';
import { evaluateHazards, HAZARDS } from '../src/hazards/registry.ts';
import { factsFrom } from '../src/hazards/testing.ts';
import { budget, node } from '../src/hazards/testing-objects.ts';
import { SEVERITIES } from '../src/model/finding.ts';

const FOLDER = join(import.meta.dirname, '..', 'src', 'hazards');
const HEADINGS = [
  'What happens',
  'Why',
  'Evidence to look for',
  'How to fix',
  'When this finding is wrong',
  'References',
];

test('the registry lists the folders, sorted', () => {
  const folders = readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  expect(HAZARDS.map(({ id }) => id)).toEqual(folders);
});

describe.each(HAZARDS.map((hazard) => [hazard.id, hazard] as const))('%s', (id, hazard) => {
  const page = readFileSync(join(FOLDER, id, 'hazard.md'), 'utf8');

  test('has a hazard, a test and a page', () => {
    expect(readdirSync(join(FOLDER, id)).filter((file) => file.startsWith('hazard.'))).toEqual([
      'hazard.md',
      'hazard.test.ts',
      'hazard.ts',
    ]);
  });

  test('its card is filled in', () => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(hazard.covers.length).toBeGreaterThan(0);
    for (const mode of hazard.covers) {
      expect(mode).toMatch(/^FM-\d\d$/);
      expect(Number(mode.slice(3))).toBeGreaterThanOrEqual(1);
      expect(Number(mode.slice(3))).toBeLessThanOrEqual(87);
    }
    expect(hazard.references.length).toBeGreaterThan(0);
    expect(SEVERITIES).toContain(hazard.severity);
    expect(hazard.why).toMatch(/\.$/);
    expect(hazard.holdsFor).not.toBe('');
  });

  test('its page has the title, the headings in order and the references', () => {
    expect(page.split('\n')[0]).toBe(`# ${hazard.title}`);
    expect([...page.matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual(HEADINGS);
    const listed = page.slice(page.indexOf('## References')).matchAll(/^- (.+)$/gm);
    expect([...listed].map((match) => match[1])).toEqual(hazard.references);
  });

  test("its page's YAML parses", () => {
    for (const [, text = ''] of page.matchAll(/^```yaml\n(.*?)^```$/gms)) {
      expect(text.trim()).not.toBe('');
      expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([]);
    }
  });

  test('says what is missing when nothing was read', () => {
    const { findings, missing } = hazard.foretell(factsFrom());
    expect(findings).toEqual([]);
    expect(missing.length).toBeGreaterThan(0);
  });
});

describe('evaluateHazards', () => {
  test('counts what it found and what it could not judge', () => {
    const report = evaluateHazards(factsFrom({ objects: [zero('a'), zero('b')] }));
    expect(report.summary.hazardsEvaluated).toBe(HAZARDS.length);
    expect(report.summary.high).toBe(2);
    expect(report.summary.unknown).toBe(report.unknown.length);
    expect(report.unknown.map(({ hazard }) => hazard)).toContain('budget-deadlock');
  });

  test('gives the same report whatever the order of objects and hazards', () => {
    const objects = [node('w1'), zero('a'), zero('b'), zero('c')];
    const report = evaluateHazards(factsFrom({ objects }));
    const reversed = evaluateHazards(
      factsFrom({ objects: objects.toReversed() }),
      HAZARDS.toReversed(),
    );
    expect(reversed).toEqual(report);
  });
});

function zero(name: string) {
  return budget(name, { maxUnavailable: 0 });
}
