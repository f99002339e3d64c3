/**
 * Goal: a bundle answers alike with compiled code, without it, and with code that V8 must refuse.
 * Method: bundles as the build wraps them, in a folder of their own for each case.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { codeCachePath, loadBundle, loadedBundles } from './load-bundle.ts';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folderWith(bundles: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'regauge-bundle-'));
  folders.push(folder);
  for (const [name, body] of Object.entries(bundles)) {
    writeFileSync(join(folder, name), `(function(exports,require,module){${body}\n})`);
  }
  return folder;
}

const SUM = 'exports.sum = (a, b) => a + b;';

function sumOf(folder: string): number {
  const { sum } = loadBundle(folder, 'sum.js') as { sum(a: number, b: number): number };
  return sum(20, 22);
}

describe('load a bundle', () => {
  it('takes compiled code when there is some', () => {
    const compiled = folderWith({ 'sum.js': SUM });
    expect(sumOf(compiled)).toBe(42);
    const code = loadedBundles().get(join(compiled, 'sum.js'))?.script.createCachedData();

    const again = folderWith({ 'sum.js': SUM });
    writeFileSync(codeCachePath(join(again, 'sum.js')), code ?? '');
    expect(sumOf(again)).toBe(42);
    expect(loadedBundles().get(join(again, 'sum.js'))?.script.cachedDataRejected).toBe(false);
  });

  it('compiles as usual when V8 refuses what lies there', () => {
    const folder = folderWith({ 'sum.js': SUM });
    writeFileSync(codeCachePath(join(folder, 'sum.js')), 'code of another V8');
    expect(sumOf(folder)).toBe(42);
    expect(loadedBundles().get(join(folder, 'sum.js'))?.script.cachedDataRejected).toBe(true);
  });

  it('keeps the code of each Node and platform apart', () => {
    const name = basename(codeCachePath(join('dist', 'check.js')));
    expect(name).toBe(`check.${process.version}-${process.platform}-${process.arch}.cache`);
  });

  it('runs a bundle once, and lets it load others and built-ins', () => {
    const folder = folderWith({
      'count.js': "exports.path = require('node:path'); exports.loads = { count: 0 };",
      'user.js': "module.exports = require('./count.js'); module.exports.loads.count += 1;",
    });
    const { path, loads } = loadBundle(folder, 'user.js') as {
      readonly path: typeof import('node:path');
      readonly loads: { readonly count: number };
    };
    loadBundle(folder, 'user.js');
    expect([path.posix.join('a', 'b'), loads.count]).toEqual(['a/b', 1]);
  });

  it('misses packages as Node does, for libraries that try optional ones', () => {
    const folder = folderWith({ 'optional.js': "require('bufferutil');" });
    expect(() => loadBundle(folder, 'optional.js')).toThrow(
      expect.objectContaining({ code: 'MODULE_NOT_FOUND' }),
    );
  });
});
