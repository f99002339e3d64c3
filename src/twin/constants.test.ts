/** Goal: every constant says what it is in and where it comes from, and is the only place of a time. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONSTANTS, constantsWith } from './constants.ts';

const SUFFIX = { ms: 'Ms', s: 'Seconds', count: '(Count|Burst)', ratio: 'Ratio' } as const;
/** What a node, a program or a controller waits for. */
const ACTORS = ['controllers', 'kubelet', 'machine', 'node', 'programs', 'runtime'] as const;

describe('constants', () => {
  it.each(Object.entries(CONSTANTS))('%s has its unit in its name, and a source', (name, one) => {
    expect(name).toMatch(new RegExp(`${SUFFIX[one.unit]}$`));
    expect(one.value).toBeGreaterThan(0);
    expect(one.source.length).toBeGreaterThan(8);
  });

  it('are what they are, but for those that are set', () => {
    const set = constantsWith({ rebootMs: 1 });
    expect(set.rebootMs).toBe(1);
    expect(set.apiCallMs).toBe(CONSTANTS.apiCallMs.value);
  });

  it('are the only times of the simulated software', () => {
    const hidden = ACTORS.flatMap((folder) => modulesIn(new URL(`${folder}/`, import.meta.url)))
      .map((url) => ({ url, text: readFileSync(url, 'utf8') }))
      .filter(({ text }) => /^(export )?const [A-Z_]*_(MS|SECONDS) = /m.test(text))
      .map(({ url }) => url.pathname.split('/src/twin/')[1]);
    expect(hidden).toEqual([]);
  });
});

function modulesIn(folder: URL): readonly URL[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(\.test|testing)\.ts$/.test(name))
    .map((name) => new URL(name, folder));
}
