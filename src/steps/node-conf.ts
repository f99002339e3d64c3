/**
 * Which CNI conf the container runtime of a node takes, by the rule both runtimes share for valid
 * files: of the names ending in .conf, .conflist or .json, the first in byte order
 * (containerd go-cni opts.go; CRI-O ocicni; truth/runtime).
 */
import { confCandidates } from '../knowledge/cni-selection.ts';
import type { Plan, PlanPlatform, RuntimeDirectories } from '../model/plan.ts';
import type { NodeHostPort, Ports } from '../ports/index.ts';

export interface SelectedConf {
  /** Undefined when there is none. */
  readonly file: string | undefined;
  /** `flannel` is Canal too. */
  readonly network: 'cilium' | 'flannel' | 'other' | 'none';
  /** The plugin binary the conf names is there. */
  readonly binaryPresent: boolean;
}

const BINARIES: Readonly<Record<string, string>> = { cilium: 'cilium-cni', flannel: 'flannel' };

/** As of now; `where` asks for other directories than those the runtime looks in now. */
export async function selectedConf(
  ports: Ports,
  plan: Plan,
  node: string,
  where?: RuntimeDirectories,
): Promise<SelectedConf> {
  const { conf: directory, bin } =
    where ?? (await runtimeDirectories(ports.nodeHost, plan.platform, node));
  const names = (await ports.nodeHost.list(node, directory)) ?? [];
  const file = confCandidates(names)[0];
  if (file === undefined) return { file, network: 'none', binaryPresent: false };
  const text = await ports.nodeHost.read(node, `${directory}/${file}`);
  const network = networkOf(file, text);
  const binary = isCanal(text) ? 'calico' : BINARIES[network];
  const binaries = binary === undefined ? [] : ((await ports.nodeHost.list(node, bin)) ?? []);
  return { file, network, binaryPresent: binary === undefined || binaries.includes(binary) };
}

const USUAL: RuntimeDirectories = { conf: '/etc/cni/net.d', bin: '/opt/cni/bin' };

/** Where the node's runtime looks: one that moves with the old CNI says so in its own configuration. */
export async function runtimeDirectories(
  nodeHost: Pick<NodeHostPort, 'read'>,
  platform: PlanPlatform | undefined,
  node: string,
): Promise<RuntimeDirectories> {
  if (platform === undefined) return USUAL;
  const { cniConfDirectory: conf, cniBinDirectory: bin, afterOldCni: after } = platform;
  if (after === undefined) return { conf, bin };
  const config = await nodeHost.read(node, after.runtimeConfig);
  return config === undefined || config.includes(conf) ? { conf, bin } : after;
}

/** Canal's plugin is Calico's; what lies between nodes is Flannel's. */
function isCanal(text = ''): boolean {
  return /"type"\s*:\s*"calico"/.test(text) && /"type"\s*:\s*"host-local"/.test(text);
}

/** By what the conf says; by its name where it cannot be read. */
function networkOf(file: string, text: string | undefined): SelectedConf['network'] {
  const told = text === undefined || text === '' ? file : text;
  if (/"type"\s*:\s*"cilium-cni"/.test(told)) return 'cilium';
  if (/"type"\s*:\s*"flannel"/.test(told) || isCanal(told)) return 'flannel';
  if (told !== file) return 'other';
  return /cilium/.test(file) ? 'cilium' : /flannel|canal/.test(file) ? 'flannel' : 'other';
}
