/** A node with a runtime and real plugins as files, for tests. */
import { constantsWith } from '../constants.ts';
import { Kernel } from '../kernel/kernel.ts';
import { NodeFileSystem } from '../node/node-file-system.ts';
import { pluginBinary } from '../node/plugin-binary.ts';
import type { AgentSocket, SandboxRequest, SandboxResult, StopResult } from '../world.ts';
import { createRuntime } from './create-runtime.ts';
import type { NodeRuntime, RunOptions, RuntimeTrace } from './node-runtime.ts';

export const CONF = '/etc/cni/net.d';
export const BIN = '/opt/cni/bin';
export const SUBNET_ENV = '/run/flannel/subnet.env';
const AGENT_SOCKET = '/run/cilium/cilium.sock';

export const SUBNET = [
  'FLANNEL_NETWORK=10.244.0.0/16',
  'FLANNEL_SUBNET=10.244.1.1/24',
  'FLANNEL_MTU=1450',
  'FLANNEL_IPMASQ=true',
  '',
].join('\n');

export const FLANNEL_CONF = conflist('cbr0', [
  { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
  { type: 'portmap', capabilities: { portMappings: true } },
]);

export const CILIUM_CONF = conflist('cilium', [{ type: 'cilium-cni' }], '0.3.1');

export function conflist(name: string, plugins: readonly object[], cniVersion = '1.0.0'): string {
  return JSON.stringify({ cniVersion, name, plugins });
}

/** A network of its own: bridge `br<number>`, addresses from 10.2<number>.0.0/24. */
export function bridgeConf(number: number, name = `net${number}`): string {
  const ipam = { type: 'host-local', ranges: [[{ subnet: `10.2${number}.0.0/24` }]] };
  return conflist(name, [{ type: 'bridge', bridge: `br${number}`, isGateway: true, ipam }]);
}

export interface TestNode {
  readonly kernel: Kernel;
  readonly files: NodeFileSystem;
  readonly sockets: Map<string, AgentSocket>;
  readonly runtime: NodeRuntime;
  advance(ms: number): void;
  reboot(): void;
  /** Runs a pod to its answer. */
  run(pod: string, options?: RunOptions, request?: Partial<SandboxRequest>): SandboxResult;
  stop(id: string): StopResult;
  remove(id: string): StopResult;
  /** An agent that hands out addresses of 10.245.1.0/24. */
  startAgent(): void;
}

export interface TestNodeOptions {
  readonly kind?: 'containerd' | 'cri-o';
  readonly version?: string;
  readonly flannelPlugin?: string;
  readonly maxConfNum?: number;
  readonly trace?: RuntimeTrace;
}

const PLUGINS = ['loopback', 'bridge', 'host-local', 'portmap', 'firewall', 'bandwidth', 'tuning'];
const PATIENCE_MS = 120_000;

export function testNode(options: TestNodeOptions = {}): TestNode {
  const { kind = 'containerd', version = '2.0.5', maxConfNum = 1 } = options;
  const kernel = new Kernel(1);
  const files = new NodeFileSystem({ kernel, node: 'n1', distribution: 'kubeadm', version: '1' });
  files.mkdir(CONF);
  for (const name of PLUGINS) files.write(`${BIN}/${name}`, pluginBinary(name, '1.6.2'));
  const flannelPlugin = options.flannelPlugin ?? '1.6.2-flannel1';
  files.write(`${BIN}/flannel`, pluginBinary('flannel', flannelPlugin));
  files.write(`${BIN}/cilium-cni`, pluginBinary('cilium-cni', '1.16.5'));
  const sockets = new Map<string, AgentSocket>();
  // Past the time before the clock starts, in which nothing takes time.
  kernel.runUntil(1_000);
  const runtime = createRuntime({
    kind,
    version,
    node: 'n1',
    kernel,
    constants: constantsWith({ sandboxCreateMs: 50, sandboxStopMs: 20 }),
    files,
    sockets,
    confDirectory: CONF,
    binDirectories: [BIN],
    maxConfNum,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  });
  const advance = (ms: number): void => kernel.runUntil(kernel.now() + ms);
  const answered = <T>(start: (done: (answer: T) => void) => void): T => {
    const answers: T[] = [];
    start((answer) => answers.push(answer));
    const until = kernel.now() + PATIENCE_MS;
    while (answers.length === 0 && kernel.now() < until && kernel.step());
    const [answer] = answers;
    if (answer === undefined) throw new Error('the call was never answered');
    return answer;
  };
  let given = 1;
  return {
    kernel,
    files,
    sockets,
    runtime,
    advance,
    reboot() {
      runtime.powerLost();
      sockets.clear();
      files.lose('reboot');
      advance(1_000);
      runtime.powerOn();
      advance(1_000);
    },
    run: (pod, run = {}, request = {}) =>
      answered((done) => runtime.runPodSandbox({ ...requestFor(pod), ...request }, run, done)),
    stop: (id) => answered((done) => runtime.stopSandbox(id, done)),
    remove: (id) => answered((done) => runtime.removePodSandbox(id, done)),
    startAgent() {
      sockets.set(AGENT_SOCKET, {
        allocate: () => ({ ip: `10.245.1.${(given += 1)}` }),
        release: () => undefined,
      });
    },
  };
}

function requestFor(pod: string): SandboxRequest {
  return {
    podUid: `uid-${pod}`,
    namespace: 'default',
    name: pod,
    hostNetwork: false,
    hostPorts: [],
  };
}
