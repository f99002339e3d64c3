/**
 * `npm run crash`: kills the executor at every point on the twin, in as many processes as there are
 * cores. REGAUGE_CRASH_EVERY=10 takes every tenth point.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { ensureInstalled } from './prepare.mjs';

ensureInstalled();
const shares = availableParallelism();
const statuses = await Promise.all(
  Array.from({ length: shares }, (_, share) => run(`${share}/${shares}`)),
);
process.exitCode = Math.max(...statuses);

function run(share) {
  const child = spawn(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/crash/vitest.config.ts',
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit', env: { ...process.env, REGAUGE_CRASH_SHARE: share } },
  );
  return new Promise((resolve) => child.on('exit', (status) => resolve(status ?? 130)));
}
