/**
 * Container runtimes: measured cases and random ones on real software and on the twin; any
 * difference fails.
 */
import type { TruthCase } from '../truth/cases.ts';
import { chooseCases } from './choose-cases.ts';
import { type Comparison, compare } from './compare.ts';
import type { Lane, Part } from './lane.ts';
import { measure } from './measure.ts';
import { randomCase } from './random-case.ts';
import { RealNode, sweep } from './real-node.ts';
import { checkMachine } from './requirements.ts';
import { Skipped } from './skipped.ts';
import { type RuntimeSoftware, type Software, obtainSoftware } from './software.ts';

/** How often a case is measured before a difference counts. */
const ATTEMPTS = 3;

export const RUNTIMES: Part = {
  name: 'runtimes',
  about: 'containerd, runc and CNI plugins against the twin of a node',
  run: testRuntimes,
};

async function testRuntimes(lane: Lane): Promise<void> {
  const { seed, runtime } = lane.options;
  checkMachine();
  sweep();
  const software = obtainSoftware(lane.cache);
  lane.tell(`flannel plugin ${software.flannelVersion}; seed ${seed} (--seed ${seed} repeats it)`);
  const wanted = software.runtimes.filter(
    ({ version }) => runtime === undefined || version === runtime,
  );
  const ends = await Promise.allSettled(wanted.map((one) => testRuntime(lane, software, one)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function testRuntime(
  lane: Lane,
  software: Software,
  runtime: RuntimeSoftware,
): Promise<void> {
  const { seed, random: count } = lane.options;
  const name = `containerd ${runtime.version} (${runtime.origin})`;
  const node = await openNode(software, runtime);
  const close = lane.onEnd(() => node.close());
  try {
    const { chosen, left } = chooseCases(runtime, software.flannelVersion);
    for (const line of left) lane.skip(name, line);
    const random = Array.from({ length: count }, (_, index) =>
      randomCase(seed + index, {
        flannel: software.flannelVersion,
        internalLoopback: !runtime.version.startsWith('1.'),
      }),
    );
    const all = [...chosen, ...random].filter(({ id }) => lane.wants(id));
    for (const one of all) await testCase(lane, node, software, name, one);
    lane.tell(`${name}: ${all.length} cases`);
  } finally {
    await close();
  }
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
  lane: Lane,
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
      lane.pass(title, told);
      if (attempt > 1) lane.tell(`passed at attempt ${attempt}: ${title}`);
      return;
    }
  }
  lane.fail(title, `  set-up ${JSON.stringify(one.setup)}\n${told}`);
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
