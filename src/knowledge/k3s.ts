/**
 * K3s as its nodes show it. Each node carries the arguments its process started with, configuration files
 * included, as an annotation (k3s:pkg/nodeconfig/nodeconfig.go@0ba4732); what concerns the network is said
 * to servers, and agents ask a server for it when they start (k3s:pkg/agent/config/config.go@001a6d9).
 */
import { atLeast, minorOf } from '../base/versions.ts';
import type { NodeObject } from '../model/kubernetes.ts';

export const NODE_ARGS = 'k3s.io/node-args';
/** The environment of the process; the installation script hands the address of a server over in it. */
const NODE_ENV = 'k3s.io/node-env';

/** Flannel's conf, plugins and containerd's configuration lie below it (`--data-dir`). */
export const K3S_DATA = '/var/lib/rancher/k3s';
/** Rewritten at every start (k3s:pkg/agent/containerd/config.go); names Flannel's directory while that is on. */
export const K3S_CONTAINERD_CONFIG = `${K3S_DATA}/agent/etc/containerd/config.toml`;
/** Later names win, and the command line wins over all (docs.k3s.io, Configuration File). */
export const K3S_CONFIG_DIRECTORY = '/etc/rancher/k3s/config.yaml.d';
export const K3S_CONFIG = '/etc/rancher/k3s/config.yaml';
/** Every node's own balancer to the API servers, on servers too (`--lb-server-port`; cilium/cilium#19038). */
export const K3S_LOCAL_API = { host: '127.0.0.1', port: 6444 } as const;

export interface K3sArguments {
  readonly role: 'server' | 'agent';
  /** Values by flag, without its dashes; a flag that stands alone has the value `true`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

export interface K3sNetwork {
  /** `none`: Flannel is off. */
  readonly flannelBackend: string;
  readonly kubeProxy: boolean;
  /** Its controller of network policies, a part of kube-router. */
  readonly networkPolicy: boolean;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
}

/** Undefined where the node says nothing of them, or what nobody understands. */
export function k3sArguments(node: NodeObject): K3sArguments | undefined {
  return k3sArgumentsIn(k3sWords(node));
}

export function k3sWords({ metadata }: NodeObject): readonly string[] {
  return textsIn(metadata.annotations?.[NODE_ARGS]);
}

export function k3sArgumentsIn(words: readonly string[]): K3sArguments | undefined {
  const [role] = words;
  if (role !== 'server' && role !== 'agent') return undefined;
  const flags = new Map<string, string[]>();
  for (const [index, word] of words.entries()) {
    const name = flagIn(word);
    if (name === undefined) continue;
    const [flag = '', ...rest] = name.split('=');
    const next = words[index + 1];
    const follows = next === undefined || flagIn(next) !== undefined ? 'true' : next;
    const values = flags.get(flag) ?? [];
    values.push(rest.length > 0 ? rest.join('=') : follows);
    flags.set(flag, values);
  }
  return { role, flags };
}

/** The last that was said; what was said later wins. */
export function k3sFlag({ flags }: K3sArguments, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

/** What a server with these flags runs and tells its agents; defaults of `k3s server --help`. */
export function k3sNetwork(server: K3sArguments): K3sNetwork {
  return {
    flannelBackend: k3sFlag(server, 'flannel-backend') ?? 'vxlan',
    kubeProxy: k3sFlag(server, 'disable-kube-proxy') !== 'true',
    networkPolicy: k3sFlag(server, 'disable-network-policy') !== 'true',
    clusterCidr: k3sFlag(server, 'cluster-cidr') ?? '10.42.0.0/16',
    serviceCidr: k3sFlag(server, 'service-cidr') ?? '10.43.0.0/16',
  };
}

/** The server that a node joins when it starts, as its host: of its flags, else of its environment. */
export function k3sJoins(node: NodeObject): string | undefined {
  const args = k3sArguments(node);
  const url = (args === undefined ? undefined : k3sFlag(args, 'server')) ?? environmentUrl(node);
  return url === undefined ? undefined : /^https?:\/\/(\[[^\]]+\]|[^:/]+)/.exec(url)?.[1];
}

function environmentUrl({ metadata }: NodeObject): string | undefined {
  return /"K3S_URL"\s*:\s*"([^"]+)"/.exec(metadata.annotations?.[NODE_ENV] ?? '')?.[1];
}

/** First patch releases with one directory for plugins that upgrades leave where it is (k3s-io/k3s#10868). */
const STABLE_BIN: Readonly<Record<string, string>> = {
  '1.28': '1.28.15',
  '1.29': '1.29.10',
  '1.30': '1.30.6',
  '1.31': '1.31.2',
};

/** Where the runtime finds plugins while Flannel is on; before, a link to the release that runs. */
export function k3sBinDirectory(kubernetesVersion: string): string {
  const first = STABLE_BIN[minorOf(kubernetesVersion)];
  const isStable =
    first === undefined ? atLeast(kubernetesVersion, '1.32.0') : atLeast(kubernetesVersion, first);
  return isStable ? `${K3S_DATA}/data/cni` : `${K3S_DATA}/data/current/bin`;
}

/** `--flag`, or `-f`; undefined for a value. */
function flagIn(word: string): string | undefined {
  return /^--?([a-z].*)$/.exec(word)?.[1];
}

function textsIn(json: string | undefined): readonly string[] {
  if (json === undefined) return [];
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
