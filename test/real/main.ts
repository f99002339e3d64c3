/**
 * `npm run test:real`: measured cases and random ones on real software and on the twin; any
 * difference fails. `-- --seed 7 --random 50 --only L12 --runtime 2.0.5`.
 */
import { parseArgs } from 'node:util';
import type { TruthCase } from '../truth/cases.ts';
import { chooseCases } from './choose-cases.ts';
import { type Comparison, compare } from './compare.ts';
import { measure } from './measure.ts';
import { randomCase } from './random-case.ts';
import { RealNode, sweep } from './real-node.ts';
import { checkMachine } from './requirements.ts';
import { Skipped } from './skipped.ts';
import { type RuntimeSoftware, type Software, beModest, obtainSoftware } from './software.ts';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** How often a case is measured before a difference counts. */
const ATTEMPTS = 3;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    random: { type: 'string', default: '50' },
    only: { type: 'string' },
    runtime: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const since = Date.now();
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
const open = new Set<RealNode>();

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void interrupted());

try {
  beModest();
  checkMachine();
  sweep();
  const software = obtainSoftware((line) => console.log(line));
  console.log(
    `flannel plugin ${software.flannelVersion}; seed ${seed} (--seed ${seed} repeats it)`,
  );
  const wanted = software.runtimes.filter(
    ({ version }) => options.runtime === undefined || version === options.runtime,
  );
  const ends = await Promise.allSettled(wanted.map((one) => testRuntime(software, one)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
} catch (error) {
  if (!(error instanceof Skipped)) throw error;
  console.log(`SKIPPED: ${error.message}`);
}
console.log(
  `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped (${Math.round((Date.now() - since) / 1_000)} s)`,
);
if (tally.failed > 0) process.exitCode = 1;

async function testRuntime(software: Software, runtime: RuntimeSoftware): Promise<void> {
  const name = `containerd ${runtime.version} (${runtime.origin})`;
  const node = await openNode(software, runtime);
  open.add(node);
  try {
    const { chosen, left } = chooseCases(runtime, software.flannelVersion);
    for (const line of left) console.log(`skipped: ${name}: ${line}`);
    tally.skipped += left.length;
    const random = Array.from({ length: Number(options.random) }, (_, index) =>
      randomCase(seed + index, {
        flannel: software.flannelVersion,
        internalLoopback: !runtime.version.startsWith('1.'),
      }),
    );
    const all = [...chosen, ...random].filter(({ id }) => wantedId(id));
    for (const one of all) await testCase(node, software, name, one);
    console.log(`${name}: ${all.length} cases`);
  } finally {
    open.delete(node);
    await node.close();
  }
}

function wantedId(id: string): boolean {
  return options.only === undefined || options.only.split(',').includes(id);
}

/** A node that cannot even be prepared is this machine's doing; what happens on one is not. */
async function openNode(software: Software, runtime: RuntimeSoftware): Promise<RealNode> {
  try {
    return await RealNode.open(software, runtime);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Skipped(`containerd ${runtime.version} cannot run here: ${why}`);
  }
}

/**
 * Networks are attached side by side, so which of two errors comes first can be chance; a case that
 * differs is measured again, and a difference that stays is one.
 */
async function testCase(
  node: RealNode,
  software: Software,
  name: string,
  one: TruthCase,
): Promise<void> {
  const title = `${name}: ${one.id} ${one.description}`;
  let told = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { same, transcript } = await attempted(node, software, one);
    told = transcript.join('\n');
    if (same) {
      tally.passed += 1;
      if (attempt > 1) console.log(`passed at attempt ${attempt}: ${title}`);
      else if (options.verbose) console.log(`passed: ${title}\n${told}`);
      return;
    }
  }
  tally.failed += 1;
  console.log(`FAILED: ${title}\n  set-up ${JSON.stringify(one.setup)}\n${told}`);
}

async function attempted(
  node: RealNode,
  { flannelVersion }: Software,
  one: TruthCase,
): Promise<Comparison> {
  try {
    const measured = await measure(node, one);
    return compare(node.runtime.version, flannelVersion, measured);
  } catch (error) {
    return { same: false, transcript: [`  ${String(error)}`] };
  }
}

async function interrupted(): Promise<void> {
  await Promise.all([...open].map((node) => node.close()));
  process.exit(130);
}
