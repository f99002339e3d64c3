/**
 * A node made from a description, asked what its next pod gets: the model itself, run once, under
 * circumstances that the asker chooses.
 */
import { present } from '../../base/assert.ts';
import { CALICO_KUBECONFIG, CALICO_NODENAME } from '../../knowledge/canal.ts';
import type { LoadedNetwork } from '../../knowledge/cni-selection.ts';
import { constantsWith } from '../constants.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { Distribution } from '../node/mount-tables.ts';
import { NodeFileSystem } from '../node/node-file-system.ts';
import { pluginBinary } from '../node/plugin-binary.ts';
import type { AgentSocket, SandboxResult } from '../world.ts';
import { createRuntime } from './create-runtime.ts';
import type { NodeRuntime } from './node-runtime.ts';
import { PROGRAMS } from './plugins/programs.ts';

export interface DescribedConf {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Undefined when only the name is known. */
  readonly text: string | undefined;
  readonly target?: string;
}

export interface NodeDescription {
  readonly node: string | undefined;
  readonly runtime: { readonly kind: 'containerd' | 'cri-o'; readonly version: string };
  readonly distribution: Distribution;
  /** The distribution's own version; `1.10.2`. */
  readonly version: string;
  readonly flannelPlugin: string;
  readonly confDirectory: string;
  readonly binDirectory: string;
  readonly confs: readonly DescribedConf[];
  /** Undefined when the bin directory was not listed. */
  readonly binaries: readonly { readonly name: string; readonly mode?: number }[] | undefined;
  /** Whether Flannel's state file is there; undefined when not told. */
  readonly subnetEnv: boolean | undefined;
  /** Whether the Cilium agent answers on its socket; undefined when not told. */
  readonly agent: boolean | undefined;
}

export interface Circumstances {
  /** flanneld has left its state, the Cilium agent answers. */
  readonly daemons: boolean;
  readonly rebooted?: boolean;
  /** Confs that are left out. */
  readonly without?: (name: string) => boolean;
  /** A plugin binary that is taken away first. */
  readonly missing?: string;
}

export interface Probed {
  readonly ready: boolean;
  readonly message: string;
  readonly loadStatus: string;
  readonly selected: LoadedNetwork | undefined;
  readonly pod: SandboxResult;
  readonly files: NodeFileSystem;
  readonly runtime: NodeRuntime;
}

const STEPS_MAX = 10_000;
const SUBNET_ENV =
  'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n';
const AGENT: AgentSocket = {
  allocate: () => ({ ip: '10.245.1.2' }),
  release: () => undefined,
};

export function probeNode(described: NodeDescription, circumstances: Circumstances): Probed {
  const kernel = new Kernel(1);
  const files = filesOf(described, circumstances, kernel);
  const sockets = new Map<string, AgentSocket>();
  setDaemons(files, sockets, circumstances.daemons);
  const runtime = createRuntime({
    ...described.runtime,
    node: described.node ?? 'node',
    kernel,
    constants: constantsWith(),
    files,
    sockets,
    apiServer: () => ({ ok: true, podCidr: '10.244.1.0/24' }),
    confDirectory: described.confDirectory,
    binDirectories: [described.binDirectory],
  });
  kernel.runUntil(1_000);
  if (circumstances.rebooted === true) {
    runtime.powerLost();
    sockets.clear();
    files.lose('reboot');
    runtime.powerOn();
    kernel.runUntil(kernel.now() + 2_000);
    setDaemons(files, sockets, circumstances.daemons);
  }
  const { ready, message } = runtime.networkStatus();
  const selected = runtime.loadedNetworks().find(({ ifName }) => ifName === 'eth0');
  const loadStatus = runtime.loadStatus();
  return { ready, message, loadStatus, selected, pod: podOn(runtime, kernel), files, runtime };
}

function filesOf(
  described: NodeDescription,
  { without = () => false, missing }: Circumstances,
  kernel: Kernel,
): NodeFileSystem {
  const { node = 'node', distribution, version, flannelPlugin } = described;
  const files = new NodeFileSystem({ kernel, node, distribution, version, flannelPlugin });
  files.mkdir(described.confDirectory);
  for (const conf of described.confs) {
    if (without(conf.name)) continue;
    const path = `${described.confDirectory}/${conf.name}`;
    if (conf.kind === 'directory') files.mkdir(path);
    else if (conf.kind === 'file') files.write(path, conf.text ?? '');
    else if (conf.text !== undefined) files.write(path, conf.text);
    else files.symlink(path, conf.target ?? '/dev/null');
  }
  // Beside the confs, and no conf.
  if (described.confs.some(({ text = '' }) => text.includes(CALICO_KUBECONFIG)))
    files.write(CALICO_KUBECONFIG, '');
  installPlugins(described, files);
  if (missing !== undefined) files.remove(`${described.binDirectory}/${missing}`);
  return files;
}

/** The listed binaries and no others; without a listing, every plugin that is known. */
function installPlugins(described: NodeDescription, files: NodeFileSystem): void {
  const { binDirectory, binaries, flannelPlugin } = described;
  const versionOf = (name: string): string => (name === 'flannel' ? flannelPlugin : '');
  if (binaries === undefined) {
    for (const name of PROGRAMS.keys()) {
      files.write(`${binDirectory}/${name}`, pluginBinary(name, versionOf(name)));
    }
    return;
  }
  const listed = new Set(binaries.map(({ name }) => name));
  for (const name of files.list(binDirectory) ?? []) {
    if (!listed.has(name)) files.remove(`${binDirectory}/${name}`);
  }
  for (const { name, mode = 0o755 } of binaries) {
    files.write(`${binDirectory}/${name}`, pluginBinary(name, versionOf(name)), { mode });
  }
}

function setDaemons(
  files: NodeFileSystem,
  sockets: Map<string, AgentSocket>,
  running: boolean,
): void {
  if (!running) return;
  files.write('/run/flannel/subnet.env', SUBNET_ENV);
  files.write(CALICO_NODENAME, 'node');
  files.write('/run/cilium/cilium.sock', '');
  sockets.set('/run/cilium/cilium.sock', AGENT);
}

function podOn(runtime: NodeRuntime, kernel: Kernel): SandboxResult {
  const answers: SandboxResult[] = [];
  const request = {
    podUid: 'probe',
    namespace: 'default',
    name: 'probe',
    hostNetwork: false,
    hostPorts: [],
  };
  runtime.runPodSandbox(request, { timeoutMs: 240_000 }, (result) => answers.push(result));
  for (let step = 0; answers.length === 0 && step < STEPS_MAX; step += 1) kernel.step();
  return present(answers[0], 'answer of the runtime');
}
