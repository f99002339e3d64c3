/** Files whole or not at all, tried on a directory of its own. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeWhole } from './write-whole.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'regauge-whole-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('makes the directories it needs', () => {
  const path = join(folder, 'a', 'b', 'c.txt');
  writeWhole([{ path, text: 'whole' }]);
  expect(readFileSync(path, 'utf8')).toBe('whole');
});

it('writes nothing when one of the files cannot be written', () => {
  const blocked = join(folder, 'blocked');
  writeWhole([{ path: blocked, text: 'a file where a directory is wanted' }]);
  const files = [
    { path: join(folder, 'first'), text: '1' },
    { path: join(blocked, 'second'), text: '2' },
  ];
  expect(() => writeWhole(files)).toThrow(/EEXIST|ENOTDIR/);
  expect(readdirSync(folder)).toEqual(['blocked']);
});

it('leaves nothing beside a file that a directory is in the way of', () => {
  mkdirSync(join(folder, 'taken'));
  expect(() => writeWhole([{ path: join(folder, 'taken'), text: 'x' }])).toThrow(
    /EISDIR|ENOTEMPTY|is a directory/,
  );
  expect(readdirSync(folder)).toEqual(['taken']);
});

it('says at once that nothing can be made below /proc', () => {
  expect(() => writeWhole([{ path: '/proc/regauge/plan.json', text: '' }])).toThrow(
    /ENOENT|EACCES/,
  );
});
