/** `npm test` on a fresh clone: installs and builds what is missing, then runs the tests. */
import { spawnSync } from 'node:child_process';
import { ensureBuilt } from './prepare.mjs';

ensureBuilt();
const run = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exitCode = run.status ?? 130;
