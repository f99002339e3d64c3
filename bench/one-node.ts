/**
 * One simulated node, in a process of its own: how fast its runtime selects, adds and deletes, against
 * `JSON.parse` of the measured cases as they were measured, and what a node with 30 pods weighs.
 * Prints one JSON object (node-figures.ts).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { constantsWith } from '../src/twin/constants.ts';
import { Kernel } from '../src/twin/kernel/kernel.ts';
import { NodeFileSystem } from '../src/twin/node/node-file-system.ts';
import { createRuntime } from '../src/twin/runtime/create-runtime.ts';
import type { NodeRuntime } from '../src/twin/runtime/node-runtime.ts';
import type { SandboxRequest } from '../src/twin/world.ts';
import { truthFiles } from '../test/truth/cases.ts';
import type { NodeMeasurement } from './node-figures.ts';

const FLANNEL_CONF = JSON.stringify({
  name: 'cbr0',
  cniVersion: '1.0.0',
  plugins: [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});
/** A world has one set for all its nodes. */
const CONSTANTS = constantsWith({});
const PODS = 30;
const NODES = 1_000;
const OPERATIONS = 200_000;
/** The fastest of many short rounds, so that a busy machine does not change the verdict. */
const ROUNDS = 120;
const PARTS = 10;
const PARSES = 10;

const measured: NodeMeasurement = { ...throughput(), pods: PODS, kilobytes: memory() };
console.log(JSON.stringify(measured));

function throughput(): Pick<NodeMeasurement, 'operations' | 'operateMs' | 'parseMs'> {
  const texts = truthFiles().map(({ cases }) => JSON.stringify(cases));
  const runtime = nodeWithPods(0, new Kernel(1));
  const requests = Array.from({ length: 100 }, (_, index) => request('churn', index));
  let parse = Number.POSITIVE_INFINITY;
  let operate = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    parse = Math.min(
      parse,
      timed(() => texts.forEach((text) => JSON.parse(text))),
    );
    operate = Math.min(
      operate,
      timed(() => churn(runtime, requests, OPERATIONS / 3 / PARTS)),
    );
  }
  return { operations: OPERATIONS, operateMs: operate * PARTS, parseMs: parse * PARSES };
}

/** Each turn: which network is selected, an ADD through its plugins, the DEL. */
function churn(runtime: NodeRuntime, requests: readonly SandboxRequest[], turns: number): void {
  for (let turn = 0; turn < turns; turn += 1) {
    const pod = requests[turn % requests.length];
    if (pod === undefined || !runtime.networkStatus().ready) throw new Error('no network');
    const made = runtime.adopt(pod);
    if (!made.ok) throw new Error(made.message);
    runtime.removePodSandbox(made.id, ended);
  }
}

function ended({ ok }: { readonly ok: boolean }): void {
  if (!ok) throw new Error('the sandbox was not removed');
}

function memory(): number {
  const kernel = new Kernel(1);
  const before = heapInUse();
  const nodes = Array.from({ length: NODES }, (_, index) => nodeWithPods(index, kernel));
  return (heapInUse() - before) / nodes.length / 1_024;
}

function nodeWithPods(index: number, kernel: Kernel): NodeRuntime {
  const node = `node-${index}`;
  const options = { distribution: 'talos', version: '1.10.2' } as const;
  const files = new NodeFileSystem({ kernel, node, ...options, flannelPlugin: '1.5.1-flannel3' });
  files.write('/etc/cni/net.d/10-flannel.conflist', FLANNEL_CONF);
  files.write(
    '/run/flannel/subnet.env',
    `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.${index % 250}.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n`,
  );
  const runtime = createRuntime({
    kind: 'containerd',
    version: '2.0.5',
    node,
    kernel,
    constants: CONSTANTS,
    files,
    sockets: new Map(),
    confDirectory: '/etc/cni/net.d',
    binDirectories: ['/opt/cni/bin'],
  });
  for (let pod = 0; pod < PODS; pod += 1) {
    const made = runtime.adopt(request(node, pod));
    if (!made.ok) throw new Error(made.message);
  }
  return runtime;
}

function request(node: string, pod: number): SandboxRequest {
  const name = `pod-${pod}`;
  return { podUid: `${node}-${name}`, namespace: 'bench', name, hostNetwork: false, hostPorts: [] };
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
