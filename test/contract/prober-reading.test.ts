/**
 * Goal: reading the logs of 2,000 agents never takes more than its share of requests, attended nodes
 * stay fresh all the while, and a kubelet that hangs holds up nobody. Method: the reader on virtual time.
 */
import { expect, it } from 'vitest';
import { RegaugeError } from '../../src/base/errors.ts';
import type { AgentPod } from '../../src/drivers/prober/agent-pods.ts';
import { LogReader } from '../../src/drivers/prober/log-reader.ts';
import { Kernel } from '../../src/twin/kernel/kernel.ts';
import type { KubernetesPort, LogRequest } from '../../src/ports/index.ts';
import { unusedKubernetes } from '../support/unused-kubernetes.ts';

const READS_PER_SECOND = 8;
const HANGING = 'pod-7';

interface Reading {
  readonly kernel: Kernel;
  readonly reader: LogReader;
  readonly reads: { readonly name: string; readonly at: number }[];
  readonly over: AbortController;
  readonly agents: readonly AgentPod[];
}

function readingOf(count: number, attended: ReadonlySet<string>): Reading {
  const kernel = new Kernel(1);
  const reads: { name: string; at: number }[] = [];
  const agents = Array.from({ length: count }, (_, index): AgentPod => ({
    end: 'pod',
    node: `node-${index}`,
    name: `pod-${index}`,
    uid: String(index),
    running: true,
    trouble: '',
  }));
  const logs = async function* ({ pod }: LogRequest): AsyncGenerator<string> {
    reads.push({ name: pod, at: kernel.now() });
    await kernel.answer(pod === HANGING ? 5_000 : 40, () => undefined);
    if (pod === HANGING) throw new RegaugeError('timeout', 'the kubelet does not answer');
    yield `{"probe":1,"end":"pod","node":"${pod}","boot":"x","upMs":${kernel.now()},"address":"","paths":[]}`;
  };
  const over = new AbortController();
  const reader = new LogReader({
    // Of the whole port, the reader asks for logs only.
    kubernetes: { ...unusedKubernetes(), logs } as unknown as KubernetesPort,
    clock: { now: () => kernel.now(), sleep: (ms) => kernel.answer(ms, () => undefined) },
    signal: over.signal,
    readsPerSecond: READS_PER_SECOND,
    agents: () => agents,
    isAttended: ({ node }) => attended.has(node),
    read: () => undefined,
  });
  return { kernel, reader, reads, over, agents };
}

it('keeps to its rate, gets round to everybody, and reads attended nodes every few seconds', async () => {
  const { kernel, reader, reads, over } = readingOf(2_000, new Set(['node-3', 'node-7', 'node-9']));
  await kernel.drive(async () => {
    void reader.run();
    await kernel.answer(400_000, () => undefined);
    over.abort();
  });
  expect(new Set(reads.map(({ name }) => name)).size).toBe(2_000);
  for (let second = 0; second < 400; second += 20) {
    const within = reads.filter(({ at }) => at >= second * 1_000 && at < (second + 20) * 1_000);
    expect(within.length).toBeLessThanOrEqual(20 * READS_PER_SECOND + 1);
  }
  const attended = reads.filter(({ name }) => name === 'pod-3').map(({ at }) => at);
  const late = attended.filter((at, index) => at - (attended[index - 1] ?? at) > 4_000);
  expect(attended.length).toBeGreaterThan(100);
  expect(late).toEqual([]);
});

it('resolves a refresh when those that were asked for are read, or when the time is over', async () => {
  const { kernel, reader, over, agents } = readingOf(50, new Set());
  await kernel.drive(async () => {
    void reader.run();
    await kernel.answer(30_000, () => undefined);
    const began = kernel.now();
    await reader.refresh(agents.slice(0, 3), 10_000);
    expect(kernel.now() - began).toBeLessThan(3_000);
    for (const agent of agents.slice(0, 3))
      expect(reader.attemptOf(agent)?.startedAt).toBeGreaterThanOrEqual(began);
    const hanging = kernel.now();
    await reader.refresh(agents.slice(7, 8), 2_000);
    expect(kernel.now() - hanging).toBe(2_000);
    over.abort();
  });
});
