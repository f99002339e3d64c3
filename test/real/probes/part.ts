/** Real probe agents in network namespaces: what they say of links that are cut, and of narrow ones. */
import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeLine, ProbeLinePath } from '../../../src/model/probe.ts';
import { canMakeNamespaces, ProbeLab } from '../../support/probe-lab.ts';
import type { Lane, Part } from '../lane.ts';
import { Skipped } from '../skipped.ts';

export const PROBES: Part = {
  name: 'probes',
  about: 'probe agents in network namespaces, with links that are cut',
  run: testProbes,
};

/** How often a gap is measured before a difference counts. */
const ATTEMPTS = 3;
const CUT_MS = 700;
/** Agents send ten times a second, and the link is cut between two sends. */
const INTERVAL_MS = 100;
/** A line is printed within a second of a change. */
const TOLD_MS = 2_500;
const START_MS = 8_000;

async function testProbes(lane: Lane): Promise<void> {
  if (!canMakeNamespaces()) throw new Skipped('needs root and ip, for network namespaces');
  const lab = new ProbeLab({ nodes: 2, inNamespaces: true });
  const stop = lane.onEnd(() => lab.stop());
  try {
    await sleep(START_MS);
    await lane.check('every path is answered, by both agents of each node', () => answered(lab));
    await lane.check(`a link cut for ${CUT_MS} ms is a gap of as much`, () => cutTwiceOrSo(lab));
    await lane.check('a path that is cut is told within two seconds, and when it is back', () =>
      told(lab),
    );
    await lane.check('a link that takes small packets only loses those of full size', () =>
      narrow(lab),
    );
  } finally {
    await stop();
  }
}

function newest(lab: ProbeLab, end: 'pod' | 'host', index: number): ProbeLine {
  const line = lab.agent(end, index).lines.at(-1);
  if (line === undefined) throw new Error(`the ${end} agent ${index} has printed nothing`);
  return line;
}

function pathTo(line: ProbeLine, kind: string, method: string): ProbeLinePath {
  const found = line.paths.find((path) => path.kind === kind && path.method === method);
  if (found === undefined) throw new Error(`${line.node} has no path to ${kind} by ${method}`);
  return found;
}

function answered(lab: ProbeLab): Promise<void> {
  for (const index of [0, 1]) {
    const pod = newest(lab, 'pod', index);
    const host = newest(lab, 'host', index);
    assert.equal(pod.paths.length, 13);
    assert.equal(host.paths.length, 4);
    for (const path of [...pod.paths, ...host.paths]) {
      assert.equal(path.failing, undefined, `${path.kind} by ${path.method}`);
      assert.ok(path.sent > path.lost, `${path.kind} by ${path.method} was never answered`);
    }
    assert.equal(pathTo(pod, 'pod', 'udp').source, pod.address);
    assert.equal(pathTo(pod, 'pod', 'http').source, pod.address);
  }
  return Promise.resolve();
}

/** On a machine that is busy a send comes late, and the gap with it. */
async function cutTwiceOrSo(lab: ProbeLab): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cutOnce(lab);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** The pod of node 0 is cut off: its neighbour's datagrams to it are what is looked at. */
async function cutOnce(lab: ProbeLab): Promise<void> {
  const cutMs = await lab.cutLink(0, CUT_MS);
  await sleep(TOLD_MS);
  const [gap] = pathTo(newest(lab, 'pod', 1), 'pod', 'udp').gaps.slice(-1);
  assert.ok(gap !== undefined, 'no gap was told');
  const found = gap[1] - gap[0];
  // As long as the link was really away: the commands that cut it take their time.
  const off = Math.abs(found - cutMs);
  assert.ok(
    off <= INTERVAL_MS * 1.2,
    `${found} ms, and the link was away for ${Math.round(cutMs)} ms`,
  );
  const host = pathTo(newest(lab, 'host', 1), 'pod', 'udp');
  assert.equal(host.failing, undefined);
}

async function told(lab: ProbeLab): Promise<void> {
  const cut = lab.cutLink(0, 4_000);
  await sleep(TOLD_MS);
  const during = pathTo(newest(lab, 'pod', 1), 'pod', 'udp');
  assert.ok(during.failing !== undefined, 'a path that is cut does not fail');
  assert.equal(pathTo(newest(lab, 'pod', 1), 'host', 'udp').failing, undefined);
  await cut;
  await sleep(TOLD_MS);
  assert.equal(pathTo(newest(lab, 'pod', 1), 'pod', 'udp').failing, undefined);
}

async function narrow(lab: ProbeLab): Promise<void> {
  lab.narrow(0, 1_300);
  await sleep(8_000);
  const line = newest(lab, 'pod', 1);
  assert.ok(pathTo(line, 'pod', 'udp-full').failing !== undefined, 'full-size datagrams pass');
  assert.equal(pathTo(line, 'pod', 'udp').failing, undefined);
  lab.narrow(0, 1_500);
}
