/**
 * Goal: the dependency check holds what docs/architecture.md says. A checker that read nothing
 * passes everything, so this holds the checker: it saw the modules, and it sees a breach.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

interface CruiseResult {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly { readonly rule: { readonly name: string } }[];
  };
}

function cruise(folder: string): CruiseResult {
  const cruiser = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const options = ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const text = execFileSync(process.execPath, [cruiser, ...options], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  return JSON.parse(text) as CruiseResult;
}

function countSources(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts'),
  ).length;
}

/** A source tree of its own, so that a breach never stands in the real one. */
function cruiseFiles(files: Readonly<Record<string, string>>): CruiseResult {
  const folder = mkdtempSync(join(tmpdir(), 'regauge-layers-'));
  try {
    for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      copyFileSync(name, join(folder, name));
    }
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), `${text}\n`);
    }
    return cruise(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('layers', () => {
  it('reads every source file and finds no breach', () => {
    const { modules, summary } = cruise('.');
    const sources = modules.filter(({ source }) => /^src\/.*\.ts$/.test(source));
    expect(sources.length).toBeGreaterThanOrEqual(countSources('src'));
    expect(summary.violations).toEqual([]);
  });

  it.each([
    ['a hazard that reads files', 'src/hazards/a.ts', 'node:fs', 'pure-row-does-no-io'],
    ['the twin using a driver', 'src/twin/a.ts', '../drivers/b.ts', 'twin-and-drivers-are-apart'],
    ['the model knowing the engine', 'src/model/a.ts', '../engine/b.ts', 'model-points-down'],
    ['the engine knowing the twin', 'src/engine/a.ts', '../twin/b.ts', 'only-apps-compose'],
    ['a folder that is no layer', 'src/utils/a.ts', '../base/b.ts', 'no-orphan-folder'],
  ])('catches %s', (_name, from, to, rule) => {
    const target = to.startsWith('..') ? { [join('src', to.slice(3))]: 'export const b = 1;' } : {};
    const { summary } = cruiseFiles({ ...target, [from]: `import '${to}';` });
    expect(summary.violations.map((violation) => violation.rule.name)).toContain(rule);
  });
});
