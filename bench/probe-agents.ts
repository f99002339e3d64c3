/**
 * Probe agents of a few nodes at the rates they have among 1,000, as real processes: what they take
 * of a processor, of memory and of the link. Prints one JSON document. In network namespaces where
 * this user may make some, else on the loopback, which tells no traffic.
 */
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from '../src/knowledge/probes/objects.ts';
import { canMakeNamespaces, memoryOf, ProbeLab, processorMs } from '../test/support/probe-lab.ts';

const NODES = 4;
const TOLD = 1_000;
/** Everything has been compiled and every address been told by then. */
const SETTLE_MS = 15_000;
const MEASURE_MS = 30_000;

const inNamespaces = canMakeNamespaces();
const lab = new ProbeLab({ nodes: NODES, told: TOLD, inNamespaces });
try {
  const bare = [100, 200].map((everyMs) =>
    spawn(process.execPath, [...NODE_FLAGS, '-e', sleeper(everyMs)]),
  );
  await sleep(SETTLE_MS);
  const pids = lab.agents.map(({ process: child }) => child.pid ?? 0);
  const barePids = bare.map(({ pid }) => pid ?? 0);
  const before = {
    agents: total(pids),
    bare: total(barePids),
    bytes: linkBytes(),
    at: performance.now(),
  };
  await sleep(MEASURE_MS);
  const milliseconds = performance.now() - before.at;
  const memory = pids.map(memoryOf);
  const lost = lab.agents.flatMap(({ lines }) => lines.at(-1)?.paths ?? []);
  console.log(
    JSON.stringify({
      corePercent: ((total(pids) - before.agents) / milliseconds / NODES) * 100,
      barePercent: ((total(barePids) - before.bare) / milliseconds) * 100,
      residentMegabytes: Math.max(...memory.map(({ resident }) => resident)),
      ownMegabytes: memory.reduce((sum, { own }) => sum + own, 0) / NODES,
      bytesPerSecond: inNamespaces
        ? (linkBytes() - before.bytes) / (milliseconds / 1_000) / NODES
        : null,
      samples: lost.reduce((sum, { sent }) => sum + sent, 0),
      lost: lost.reduce((sum, path) => sum + path.lost, 0),
    }),
  );
  for (const child of bare) child.kill('SIGKILL');
} finally {
  await lab.stop();
}

function total(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + processorMs(pid), 0);
}

/** A Node that wakes as often as an agent, and does nothing. */
function sleeper(everyMs: number): string {
  return `const cell = new Int32Array(new SharedArrayBuffer(4)); for (;;) Atomics.wait(cell, 0, 0, ${everyMs} - (Date.now() % ${everyMs}));`;
}

/** Sent and received, over all links of the lab's agents. */
function linkBytes(): number {
  return lab.agents.reduce((sum, { namespace }) => {
    if (namespace === undefined) return sum;
    const { stdout } = spawnSync('ip', [
      '-n',
      namespace,
      '-s',
      '-j',
      'link',
      'show',
      'dev',
      'eth0',
    ]);
    // As iproute2 prints it.
    const [link] = JSON.parse(stdout.toString()) as [LinkStatistics];
    return sum + link.stats64.rx.bytes + link.stats64.tx.bytes;
  }, 0);
}

interface LinkStatistics {
  readonly stats64: {
    readonly rx: { readonly bytes: number };
    readonly tx: { readonly bytes: number };
  };
}
