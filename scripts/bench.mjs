/** `npm run bench`: builds, then measures what was built (bench/main.ts). */
import { spawnSync } from 'node:child_process';
import { ensureBuilt } from './prepare.mjs';

ensureBuilt();
const run = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'bench/main.ts', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exitCode = run.status ?? 130;
