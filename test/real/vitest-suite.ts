/** A contract suite in a process of its own, and what it found. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Lane } from './lane.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SUITE_MS = 15 * 60_000;

interface Result {
  readonly title: string;
  readonly status: string;
  readonly message: string;
}

/** What vitest's JSON reporter writes, as far as it is read. */
interface JsonReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs one test file and tells its tests one by one, `title` before each. */
export async function holdSuite(
  lane: Lane,
  file: string,
  env: Readonly<Record<string, string>>,
  title = '',
): Promise<void> {
  for (const result of await runSuite(file, env)) {
    const full = `${title}${result.title}`;
    if (!lane.wants(result.title)) continue;
    if (result.status === 'passed') lane.pass(full);
    else lane.fail(full, result.message);
  }
}

async function runSuite(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly Result[]> {
  const args = ['run', file, '--config', 'test/real/vitest.config.ts', '--reporter', 'json'];
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', ...args],
      {
        cwd: ROOT,
        env: { ...process.env, ...env },
        timeout: SUITE_MS,
        maxBuffer: 64 * 1_024 * 1_024,
      },
      (_error, output, errors) => resolve({ stdout: output, stderr: errors }),
    );
  });
  const start = stdout.indexOf('{"');
  if (start < 0) return [{ title: 'contract', status: 'failed', message: `${stdout}${stderr}` }];
  const report = JSON.parse(stdout.slice(start)) as JsonReport;
  return report.testResults.flatMap(({ message, assertionResults }) =>
    assertionResults.length === 0
      ? [{ title: 'contract', status: 'failed', message }]
      : assertionResults.map(({ fullName, status, failureMessages }) => ({
          title: fullName,
          status,
          message: failureMessages.join('\n'),
        })),
  );
}
