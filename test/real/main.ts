/**
 * `npm run test:real`: real software against the model of it, part by part; any difference fails.
 * `-- --part charts,runtimes --seed 7 --random 50 --only L12 --runtime 2.0.5`.
 */
import { parseArgs } from 'node:util';
import { API } from './api/part.ts';
import { Cache } from './cache.ts';
import { CHARTS } from './charts/part.ts';
import { CLIENTS } from './clients/part.ts';
import { beModest } from './go-tool.ts';
import { HELM } from './helm/part.ts';
import { HOST_ACCESS } from './host-access/part.ts';
import { INSTALL } from './install/part.ts';
import { Lane, type Part } from './lane.ts';
import { MIGRATE } from './migrate/part.ts';
import { NODES } from './nodes/part.ts';
import { SERVED } from './served/part.ts';
import { sweepDirectories } from './lane-directory.ts';
import { PROBES } from './probes/part.ts';
import { RUNTIMES } from './runtimes.ts';
import { Skipped } from './skipped.ts';

const PARTS: readonly Part[] = [
  CHARTS,
  API,
  HELM,
  HOST_ACCESS,
  INSTALL,
  NODES,
  CLIENTS,
  MIGRATE,
  SERVED,
  PROBES,
  RUNTIMES,
];

const { values: options } = parseArgs({
  options: {
    part: { type: 'string' },
    seed: { type: 'string' },
    random: { type: 'string', default: '50' },
    only: { type: 'string' },
    runtime: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const since = Date.now();
const lane = new Lane(new Cache((line) => console.log(line)), {
  seed: Number(options.seed ?? Math.floor(Math.random() * 1_000_000)),
  random: Number(options.random),
  only: options.only?.split(','),
  runtime: options.runtime,
  verbose: options.verbose,
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void interrupted());

beModest();
sweepDirectories();
try {
  for (const part of wantedParts()) await runPart(part);
} finally {
  await lane.end();
}
const { passed, failed, skipped } = lane;
lane.tell(`${passed} passed, ${failed} failed, ${skipped} skipped (${secondsSince(since)} s)`);
if (failed > 0) process.exitCode = 1;

function wantedParts(): readonly Part[] {
  if (options.part === undefined) return PARTS;
  return options.part.split(',').map((name) => {
    const part = PARTS.find((one) => one.name === name);
    if (part !== undefined) return part;
    console.error(`no part ${name}: ${PARTS.map((one) => one.name).join(', ')}`);
    process.exit(2);
  });
}

async function runPart(part: Part): Promise<void> {
  const start = Date.now();
  const before = { passed: lane.passed, failed: lane.failed };
  lane.tell(`-- ${part.name}: ${part.about}`);
  try {
    await part.run(lane);
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    lane.skipped += 1;
    lane.tell(`SKIPPED ${part.name}: ${error.message}`);
  }
  lane.tell(
    `-- ${part.name}: ${lane.passed - before.passed} passed, ${lane.failed - before.failed} failed (${secondsSince(start)} s)`,
  );
}

function secondsSince(start: number): number {
  return Math.round((Date.now() - start) / 1_000);
}

async function interrupted(): Promise<void> {
  await lane.end();
  process.exit(130);
}
