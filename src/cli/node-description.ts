/**
 * One node as its files describe it: confs and listings of the node that is asked for, runtime and
 * distribution from flags or from the cluster's objects. What nobody tells is assumed and said.
 */
import { RegaugeError } from '../base/errors.ts';
import { parseRuntimeVersion } from '../knowledge/cni-runtimes.ts';
import type { CniConfInput, DirectoryListing } from '../model/cluster-input.ts';
import type { Fact } from '../model/fact.ts';
import type { ClusterFacts, Distribution, NodeFacts } from '../model/facts.ts';
import type { NodeExplanation } from '../model/node-explanation.ts';
import { COPIED_FLANNEL_PLUGIN, talosRelease } from '../knowledge/talos-versions.ts';
import { DEFAULT_CNI_PATHS, K3S_FLANNEL_PATHS } from '../twin/node/cni-paths.ts';
import type { DescribedConf, NodeDescription } from '../twin/runtime/probe-node.ts';
import type { ExplainNodeFlags } from './flags.ts';

type Assumption = NodeExplanation['assumptions'][number];
type Flags = Omit<ExplainNodeFlags, 'output'>;

export interface DescribedNode {
  readonly described: NodeDescription;
  readonly assumed: readonly Assumption[];
}

export function describeNode(facts: ClusterFacts, flags: Flags): DescribedNode {
  const node = nodeAskedFor(facts, flags.node);
  const assumed: Assumption[] = [];
  const object = nodeFacts(facts, node);
  const confs = facts.cniConfs.filter((conf) => isOf(conf.node, node));
  const listings = facts.listings.filter((listing) => isOf(listing.node, node));
  const confDirectory = confDirectoryOf(confs, listings);
  const distribution = distributionOf(facts, flags, { object, confDirectory }, assumed);
  const version = versionOf(facts, flags, object, distribution, assumed);
  const paths =
    confDirectory === K3S_FLANNEL_PATHS.confDirectory ? K3S_FLANNEL_PATHS : DEFAULT_CNI_PATHS;
  const described = describedConfs(confs, listings, paths.confDirectory);
  if (described.length === 0 && !listings.some((one) => one.directory === paths.confDirectory)) {
    throw new RegaugeError(
      'bad-input',
      'the files hold no CNI conf and no listing of a conf directory',
      {
        hint: `Give the output of: talosctl -n <node> ls -l ${paths.confDirectory}`,
      },
    );
  }
  const binDirectory = paths.binDirectories[0] ?? '/opt/cni/bin';
  return {
    described: {
      node,
      runtime: runtimeOf(flags, object, version, distribution, assumed),
      distribution,
      version,
      flannelPlugin: flannelPluginOf(distribution, version),
      confDirectory: paths.confDirectory,
      binDirectory,
      confs: described,
      binaries: binariesIn(listings, binDirectory),
      subnetEnv: listed(listings, ['/run/flannel'], 'subnet.env'),
      agent: listed(listings, ['/run/cilium', '/var/run/cilium'], 'cilium.sock'),
    },
    assumed,
  };
}

/** Only Talos brings the plugin along; elsewhere it comes with Flannel's own manifest. */
function flannelPluginOf(distribution: Distribution, version: string): string {
  const own = distribution === 'talos' ? talosRelease(version).flannelPlugin : undefined;
  return own ?? COPIED_FLANNEL_PLUGIN;
}

// ---------------------------------------------------------------- which node

function nodeAskedFor(facts: ClusterFacts, asked: string | undefined): string | undefined {
  const told = new Set(
    [...facts.cniConfs, ...facts.listings].flatMap(({ node }) => (node.known ? [node.value] : [])),
  );
  if (asked !== undefined) {
    if (told.size === 0 || told.has(asked)) return asked;
    throw new RegaugeError('usage', `the files tell nothing of a node ${asked}`, {
      hint: `They tell of ${[...told].join(', ')}.`,
    });
  }
  const [only, ...others] = told;
  if (others.length === 0) return only;
  throw new RegaugeError('usage', 'the files tell of several nodes', {
    hint: `Say which with --node: ${[...told].join(', ')}.`,
  });
}

function isOf(node: Fact<string>, asked: string | undefined): boolean {
  return !node.known || asked === undefined || node.value === asked;
}

function nodeFacts(facts: ClusterFacts, node: string | undefined): NodeFacts | undefined {
  if (!facts.nodes.known) return undefined;
  const { value } = facts.nodes;
  return value.find(({ name }) => name === node) ?? (node === undefined ? value[0] : undefined);
}

// ---------------------------------------------------------------- runtime and system

function distributionOf(
  facts: ClusterFacts,
  flags: Flags,
  told: { readonly object: NodeFacts | undefined; readonly confDirectory: string },
  assumed: Assumption[],
): Distribution {
  const { object, confDirectory } = told;
  if (flags.distribution !== undefined) {
    if (flags.talosVersion === undefined || flags.distribution === 'talos') {
      return flags.distribution;
    }
    throw new RegaugeError(
      'usage',
      `--distribution ${flags.distribution} and --talos-version are of two distributions`,
      { hint: 'Give one of them.' },
    );
  }
  if (flags.talosVersion !== undefined || object?.talosVersion.known === true) return 'talos';
  const { distribution } = facts.cluster;
  if (distribution.known) return distribution.value;
  if (confDirectory === K3S_FLANNEL_PATHS.confDirectory) return 'k3s';
  assumed.push({
    what: 'the node is an ordinary Linux with containerd or CRI-O (kubeadm); its files are on disk',
    command: 'kubectl get nodes -o wide, then --distribution or --talos-version',
  });
  return 'kubeadm';
}

function versionOf(
  facts: ClusterFacts,
  flags: Flags,
  object: NodeFacts | undefined,
  distribution: Distribution,
  assumed: Assumption[],
): string {
  if (distribution !== 'talos') return '';
  const told = flags.talosVersion?.replace(/^v/, '');
  if (told !== undefined) return told;
  if (object?.talosVersion.known === true) return object.talosVersion.value;
  if (facts.cluster.talosVersion.known) return facts.cluster.talosVersion.value;
  assumed.push({ what: 'Talos 1.10', command: 'talosctl version, then --talos-version' });
  return '1.10.0';
}

function runtimeOf(
  flags: Flags,
  object: NodeFacts | undefined,
  version: string,
  distribution: Distribution,
  assumed: Assumption[],
): NodeDescription['runtime'] {
  if (flags.runtime !== undefined) {
    const parsed = parseRuntimeVersion(flags.runtime);
    if (parsed !== undefined) return parsed;
    throw new RegaugeError('usage', `--runtime ${flags.runtime} is no runtime`, {
      hint: 'Write it as a Node shows it: containerd://2.0.5 or cri-o://1.33.0.',
    });
  }
  if (object?.runtime.known === true) {
    const { name, version: own } = object.runtime.value;
    return { kind: name, version: own };
  }
  const own = distribution === 'talos' ? talosRelease(version).containerd : '2.0.5';
  if (distribution !== 'talos') {
    assumed.push({
      what: `containerd ${own}`,
      command: 'kubectl get nodes -o wide, then --runtime',
    });
  }
  return { kind: 'containerd', version: own };
}

// ---------------------------------------------------------------- files

function confDirectoryOf(
  confs: readonly CniConfInput[],
  listings: readonly DirectoryListing[],
): string {
  const told = confs.find(({ directory }) => directory.known)?.directory;
  if (told?.known === true) return told.value;
  const listing = listings.find(({ directory }) => directory.endsWith('/etc/cni/net.d'));
  return listing?.directory ?? DEFAULT_CNI_PATHS.confDirectory;
}

/** Listed entries with the text that was given for them; without a listing, what was given. */
function describedConfs(
  confs: readonly CniConfInput[],
  listings: readonly DirectoryListing[],
  directory: string,
): readonly DescribedConf[] {
  const texts = new Map(confs.map(({ name, text }) => [name, text]));
  const listing = listings.find((one) => one.directory === directory);
  const entries = listing?.entries ?? [];
  const listed = entries.map(({ name, type, target }) => ({
    name,
    kind: type,
    text: texts.get(name),
    ...(target === undefined ? {} : { target }),
  }));
  const names = new Set(entries.map(({ name }) => name));
  const unlisted = confs.filter(({ name }) => !names.has(name));
  return [...listed, ...unlisted.map(({ name, text }) => ({ name, kind: 'file' as const, text }))];
}

function binariesIn(
  listings: readonly DirectoryListing[],
  directory: string,
): NodeDescription['binaries'] {
  const listing = listings.find((one) => one.directory === directory);
  return listing?.entries
    .filter(({ type }) => type !== 'directory')
    .map(({ name, mode }) => (mode === undefined ? { name } : { name, mode }));
}

function listed(
  listings: readonly DirectoryListing[],
  directories: readonly string[],
  name: string,
): boolean | undefined {
  const listing = listings.find(({ directory }) => directories.includes(directory));
  return listing?.entries.some((entry) => entry.name === name);
}
