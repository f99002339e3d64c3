/**
 * Goal: the house rules that a reviewer should not have to say. Each failure names the file, the
 * line and what to do instead. Exceptions are listed with their reason.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FILE_LINES_MAX = 400;

/** Files that may be longer, and why. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/model/kubernetes.ts':
    'one shape after another of the Kubernetes API; splitting scatters them',
  'test/truth/kubelet.test.ts': 'one measured case after the other, with what each must show',
};

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const sources = files.filter((file) => /^(src|test|scripts)\/.*\.(ts|mjs)$/.test(file));

function linesMatching(pattern: RegExp, among: readonly string[]): string[] {
  return among.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

describe('tidy', () => {
  it('names files in kebab case', () => {
    const odd = sources.filter((file) => !/^[a-z0-9/.-]+$/.test(file));
    expect(odd).toEqual([]);
  });

  it(`keeps files under ${FILE_LINES_MAX} lines: one idea each`, () => {
    const long = sources.filter(
      (file) =>
        LONG_FILES[file] === undefined &&
        readFileSync(file, 'utf8').split('\n').length > FILE_LINES_MAX,
    );
    expect(long).toEqual([]);
  });

  it('lists no exception that is none any more', () => {
    const stale = Object.keys(LONG_FILES).filter(
      (file) =>
        !existsSync(file) || readFileSync(file, 'utf8').split('\n').length <= FILE_LINES_MAX,
    );
    expect(stale).toEqual([]);
  });

  it('starts every module with what it is (a test says it in its names)', () => {
    const silent = sources.filter(
      (file) =>
        !file.endsWith('.test.ts') &&
        !/^(#![^\n]*\n)?\s*(\/\*\*|\/\/)/.test(readFileSync(file, 'utf8')),
    );
    expect(silent).toEqual([]);
  });

  it('leaves no note to do something later: open an issue instead', () => {
    // Spelled so that this line is no such note itself.
    const marks = /T[O]DO|F[I]XME|X[X]X|H[A]CK/;
    expect(linesMatching(marks, sources)).toEqual([]);
  });

  it('skips no test', () => {
    const skipped = new RegExp(String.raw`\b(it|test|describe)\.(skip|todo|only)\b`);
    expect(
      linesMatching(
        skipped,
        sources.filter((file) => file.endsWith('.test.ts')),
      ),
    ).toEqual([]);
  });

  it('keeps time and chance out of the pure rows: take a clock or a Random', () => {
    const pure = sources.filter(
      (file) =>
        /^src\/(base|model|knowledge|ports|intake|hazards|steps|planner|diagnosis|engine|twin|report)\//.test(
          file,
        ) && !file.endsWith('.test.ts'),
    );
    expect(
      linesMatching(
        /\bMath\.random\(|\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(/,
        pure,
      ),
    ).toEqual([]);
  });

  it('carries no path of a build machine and no registry address', () => {
    const texts = files.filter(
      (file) => !/\.(png|gz|tgz)$/.test(file) && file !== 'test/tidy.test.ts',
    );
    expect(linesMatching(/\/work\/(main|shared)|"resolved": "http/, texts)).toEqual([]);
  });
});
