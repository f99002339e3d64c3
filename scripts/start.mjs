/**
 * `npm start` on a fresh clone: installs, builds, and rehearses the post-mortem cluster twice, as it
 * was done and as regauge plans it. Arguments go to `regauge incident`. Needs Node and npm only.
 */
import { spawnSync } from 'node:child_process';
import { ensureBuilt } from './prepare.mjs';

ensureBuilt();
const run = spawnSync(process.execPath, ['dist/regauge.js', 'incident', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = run.status ?? 130;
