/**
 * What a node that has been running has on its disk: the CNI conf that made its pods, the plugins,
 * and what was read of it. What was not read is taken from what the cluster's own objects would
 * have put there.
 */
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { Fact } from '../../model/fact.ts';
import { valueOr } from '../../model/fact.ts';
import {
  CALICO_KUBECONFIG,
  CANAL_CONF,
  CANAL_CONF_KEY,
  CANAL_CONFIG_MAP,
  canalConf,
} from '../../knowledge/canal.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import type { CniPaths } from '../node/cni-paths.ts';
import { k3sFlannelConf } from '../machine/k3s-files.ts';
import type { K3sService } from '../machine/k3s-service.ts';
import { pluginBinary } from '../node/plugin-binary.ts';
import { CANAL_PLUGINS } from '../programs/canal/install-cni.ts';
import { FLANNEL_CONFIG_MAP } from '../programs/flannel/install-config.ts';
import { imageName, imageVersion } from '../programs/image.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { NodeFiles, WorldVersions } from '../world.ts';

export interface SourceNetwork {
  /** Conf files by base name, as the cluster's own objects have them, each as it is on a node. */
  readonly confs: ReadonlyMap<string, (node: string) => string>;
  /** `namespace/name` of the object that holds them. */
  readonly from: string | undefined;
  /** The network's name in the conf, under which host-local keeps leases. */
  readonly name: string;
  /** Calico's plugin over Flannel's overlay. */
  readonly canal: boolean;
}

const FLANNEL_CONF = '10-flannel.conflist';

/** The conf that the cluster's Flannel, or its Canal, has written to every node. */
export function sourceNetwork(store: ObjectStore): SourceNetwork {
  for (const { metadata, data } of store.list('ConfigMap')) {
    const from = `${metadata.namespace ?? ''}/${metadata.name}`;
    const template = CANAL_CONFIG_MAP.test(metadata.name) ? data?.[CANAL_CONF_KEY] : undefined;
    if (template !== undefined) {
      const confOn = (node: string): string => canalConf(template, node, data?.['veth_mtu']);
      return {
        confs: new Map([[CANAL_CONF, confOn]]),
        from,
        name: networkName(template),
        canal: true,
      };
    }
    const conf = metadata.name === FLANNEL_CONFIG_MAP ? data?.['cni-conf.json'] : undefined;
    if (conf === undefined) continue;
    return {
      confs: new Map([[FLANNEL_CONF, () => conf]]),
      from,
      name: networkName(conf),
      canal: false,
    };
  }
  return { confs: new Map(), from: undefined, name: 'cbr0', canal: false };
}

/** K3s has no object that tells it: every start of its process writes it. */
export function k3sSource(services: readonly K3sService[]): SourceNetwork | undefined {
  if (!services.some(({ hasFlannel }) => hasFlannel)) return undefined;
  const conf = k3sFlannelConf();
  return {
    confs: new Map([[FLANNEL_CONF, () => conf]]),
    from: 'K3s',
    name: networkName(conf),
    canal: false,
  };
}

function networkName(conf: string): string {
  return /"name"\s*:\s*"([^"]+)"/.exec(conf)?.[1] ?? 'cbr0';
}

export interface NodeFileSeed {
  readonly node: string;
  readonly address: string;
  readonly files: NodeFiles;
  readonly places: CniPaths;
  /** The image brings the reference plugins. */
  readonly bundled: boolean;
  /** Of the flannel plugin where the image does not bring it. */
  readonly flannelPlugin: string;
}

/** What the system of a new machine brings: plugins, and no conf. */
export function seedNewMachine(seed: NodeFileSeed): void {
  if (!seed.bundled) writePlugins(seed);
}

/** The conf and the plugins that made the node's pods. */
export function seedNodeFiles(seed: NodeFileSeed, source: SourceNetwork, store: ObjectStore): void {
  const { files, places, node } = seed;
  for (const [name, textOn] of source.confs)
    files.write(`${places.confDirectory}/${name}`, textOn(node));
  if (!seed.bundled) writePlugins(seed);
  if (source.canal) writeCanalPlugins(seed);
  const agent = ciliumVersionOn(store, node);
  if (agent === undefined) return;
  const directory = places.binDirectories[0] ?? '/opt/cni/bin';
  files.write(`${directory}/cilium-cni`, pluginBinary('cilium-cni', agent), { mode: 0o755 });
}

/** Of the agent that has started on the node, whose init container installed its plugin. */
function ciliumVersionOn(store: ObjectStore, node: string): string | undefined {
  for (const { metadata, spec, status } of store.podsOn(node)) {
    if (metadata.labels?.['k8s-app'] !== 'cilium' || status.phase !== 'Running') continue;
    const agent = spec.containers.find((container) => imageName(container) === 'cilium');
    if (agent !== undefined) return imageVersion(agent) ?? '';
  }
  return undefined;
}

/** Brings the conf directory to what was read of it; false when nothing was. */
export function settleConfs(
  seed: NodeFileSeed,
  input: ClusterInput,
  source: SourceNetwork,
): boolean {
  const { files, places, node, address } = seed;
  const read = input.cniConfs.filter((conf) => isOf(conf.node, node, address));
  const listing = input.listings.find(
    ({ directory, node: of }) =>
      directory.replace(/\/$/, '') === places.confDirectory && isOf(of, node, address),
  );
  if (read.length === 0 && listing === undefined) return false;
  const texts = new Map([
    ...[...source.confs].map(([name, textOn]) => [name, textOn(node)] as const),
    ...read.map(({ name, text }) => [name, text] as const),
  ]);
  const names = new Set(listing?.entries.map(({ name }) => name) ?? read.map(({ name }) => name));
  for (const name of files.list(places.confDirectory) ?? []) {
    // No listing shows what holds a token.
    if (!names.has(name) && name !== baseName(CALICO_KUBECONFIG))
      files.remove(`${places.confDirectory}/${name}`);
  }
  for (const name of names) {
    const text = texts.get(name) ?? texts.get(name.replace(/\.cilium_bak$/, ''));
    if (text !== undefined) files.write(`${places.confDirectory}/${name}`, text);
  }
  return true;
}

function writePlugins({ files, places, flannelPlugin }: NodeFileSeed): void {
  for (const name of ['bandwidth', 'bridge', 'host-local', 'loopback', 'portmap']) {
    files.write(`${places.binDirectories[0] ?? '/opt/cni/bin'}/${name}`, pluginBinary(name), {
      mode: 0o755,
    });
  }
  files.write(
    `${places.binDirectories[0] ?? '/opt/cni/bin'}/flannel`,
    pluginBinary('flannel', flannelPlugin),
    {
      mode: 0o755,
    },
  );
}

function writeCanalPlugins({ files, places }: NodeFileSeed): void {
  for (const name of CANAL_PLUGINS) {
    files.write(`${places.binDirectories[0] ?? '/opt/cni/bin'}/${name}`, pluginBinary(name), {
      mode: 0o755,
    });
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A file whose node is not told counts for every node only where there is one; here it counts for none. */
function isOf(fact: Fact<string>, node: string, address: string): boolean {
  const told = valueOr(fact, '');
  return told !== '' && (told === node || told === address);
}

export function confsAssumed(
  nodes: readonly NodeFileSeed[],
  source: SourceNetwork,
  distribution: WorldVersions['distribution'],
): readonly Assumption[] {
  const [first] = nodes;
  if (first === undefined) return [];
  const names = [...source.confs.keys()].join(', ');
  return [
    {
      about: `${first.places.confDirectory} on ${nodes.length === 1 ? first.node : `${nodes.length} nodes`}`,
      assumed:
        names === ''
          ? 'holds no CNI conf'
          : `holds ${names}, as ${source.from ?? 'the cluster'} has it`,
      because: 'no listing of the directory was given',
      command:
        distribution === 'talos'
          ? `talosctl -n ${first.address} ls ${first.places.confDirectory}`
          : `ssh ${first.address} ls ${first.places.confDirectory}`,
    },
  ];
}
