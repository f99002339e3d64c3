/**
 * Sweeps faults over the post-mortem's cluster: a slice with a new seed each time, which is printed, and
 * ends after so many seconds with what is known. `npm run sweep` does 10,000 without an end.
 *   node scripts/fault-lane.mjs [--seconds n] [--rehearsals n] [--seed n]
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './prepare.mjs';

const SCENARIO = 'scenarios/post-mortem';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '150' },
    rehearsals: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000_000) },
  },
});

ensureBuilt();
console.log(`seed ${values.seed}`);
const sweep = spawn(
  process.execPath,
  [
    'dist/regauge.js',
    'rehearse',
    `${SCENARIO}/cluster.yaml`,
    `--target=${SCENARIO}/target.yaml`,
    '--cilium-version=1.16.5',
    '--faults',
    `--rehearsals=${values.rehearsals}`,
    `--seed=${values.seed}`,
    '--output=json',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
// An interrupt ends a sweep with what is known.
const end = setTimeout(() => sweep.kill('SIGINT'), Number(values.seconds) * 1000);
const text = [];
sweep.stdout.on('data', (part) => text.push(part));
sweep.on('close', (status) => {
  clearTimeout(end);
  process.exitCode = verdict(Buffer.concat(text).toString(), status);
});

function verdict(json, status) {
  if (json === '') {
    console.error(`the sweep said nothing and ended with ${status}`);
    return 1;
  }
  const { rehearsals, outcomes, clean, broken, shrunk, worst } = JSON.parse(json);
  const counts = Object.entries(outcomes).map(([name, count]) => `${count} ${name}`);
  console.log(`${rehearsals} rehearsals with faults: ${counts.join(', ')}`);
  console.log(`P(clean) ${clean.share} (95 %: ${clean.low} to ${clean.high})`);
  for (const { what, rehearsals: times, firstSeed, message } of broken)
    console.log(`broken: ${what} (${times}, first with seed ${firstSeed}): ${message}`);
  if (broken.length > 0) console.log((shrunk ?? worst).command);
  return broken.length > 0 || rehearsals === 0 ? 1 : 0;
}
