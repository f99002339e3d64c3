// `npm run new hazard <kebab-id>`: writes the three files of a hazard and says what to fill in.
// Nothing is registered: test/hazards.test.ts names what is still missing.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [kind, id] = process.argv.slice(2);
if (kind !== 'hazard' || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id ?? '')) {
  process.stderr.write('usage: npm run new hazard <kebab-id>\n');
  process.exit(2);
}
const folder = join(import.meta.dirname, '..', 'src', 'hazards', id);
if (existsSync(folder)) {
  process.stderr.write(`${folder} is there already\n`);
  process.exit(2);
}

const hazard = `/** FM-00: one line that says the mechanism. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: '${id}',
  covers: ['FM-00'],
  title: '',
  severity: 'high',
  holdsFor: '',
  why: '',
  references: [],
  foretell,
  signs: { occurrences: [] },
};

function foretell(_facts: ClusterFacts): Foretelling {
  return unjudged(MISSING.nodes);
}
`;

const test = `import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

// Needed: one case that fires with the exact finding, a near miss, and this.
test('unknown: nothing was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
`;

const headings = [
  'What happens',
  'Why',
  'Evidence to look for',
  'How to fix',
  'When this finding is wrong',
  'References',
];
const page = ['# ', ...headings.map((heading) => `## ${heading}`)].join('\n\n') + '\n';

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'hazard.ts'), hazard);
writeFileSync(join(folder, 'hazard.test.ts'), test);
writeFileSync(join(folder, 'hazard.md'), page);
process.stdout.write(
  [
    `wrote src/hazards/${id}/{hazard.ts,hazard.test.ts,hazard.md}`,
    'next: fill in the card, add the hazard to src/hazards/registry.ts in alphabetical order,',
    'and run npx vitest run test/hazards.test.ts: it says what is still missing',
    '',
  ].join('\n'),
);
