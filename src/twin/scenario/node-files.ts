/**
 * What a node that has been running has on its disk: the CNI conf that made its pods, the plugins,
 * and what was read of it. What was not read is taken from what the cluster's own objects would
 * have put there.
 */
import type { ClusterInput, CniConfInput } from '../../model/cluster-input.ts';
import type { Fact } from '../../model/fact.ts';
import { valueOr } from '../../model/fact.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { pluginBinary } from '../node/plugin-binary.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { NodeFiles } from '../world.ts';

export interface CniPlaces {
  readonly confDirectory: string;
  readonly binDirectory: string;
}

export interface SourceNetwork {
  /** Conf files by base name, in what the cluster's own objects say. */
  readonly confs: ReadonlyMap<string, string>;
  /** `namespace/name` of the object that holds them. */
  readonly from: string | undefined;
}

/** The confs that the cluster's Flannel and Cilium would have written to every node. */
export function sourceNetwork(store: ObjectStore): SourceNetwork {
  const confs = new Map<string, string>();
  let from: string | undefined;
  for (const namespace of ['kube-system', 'kube-flannel', 'flannel']) {
    const map = store.get('ConfigMap', namespace, 'kube-flannel-cfg');
    const conf = map?.data?.['cni-conf.json'];
    if (conf === undefined) continue;
    confs.set('10-flannel.conflist', conf);
    from = `${namespace}/kube-flannel-cfg`;
    break;
  }
  return { confs, from };
}

export interface NodeFileSeed {
  readonly node: string;
  readonly address: string;
  readonly files: NodeFiles;
  readonly places: CniPlaces;
  /** The image brings the reference plugins. */
  readonly bundled: boolean;
  /** Of the flannel plugin where the image does not bring it. */
  readonly flannelPlugin: string;
}

/** Writes the confs and plugins of one node; true when the confs were read from the node itself. */
export function seedNodeFiles(
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
  if (read.length > 0 || listing !== undefined)
    writeRead(
      seed,
      read,
      listing?.entries.map(({ name }) => name),
      source,
    );
  else
    for (const [name, text] of source.confs) files.write(`${places.confDirectory}/${name}`, text);
  if (!seed.bundled) writePlugins(seed);
  return read.length > 0 || listing !== undefined;
}

function writeRead(
  { files, places }: NodeFileSeed,
  read: readonly CniConfInput[],
  listed: readonly string[] | undefined,
  source: SourceNetwork,
): void {
  const texts = new Map([...source.confs, ...read.map(({ name, text }) => [name, text] as const)]);
  const names = listed ?? read.map(({ name }) => name);
  for (const name of names) {
    const text = texts.get(name) ?? texts.get(name.replace(/\.cilium_bak$/, ''));
    files.write(`${places.confDirectory}/${name}`, text ?? '');
  }
}

function writePlugins({ files, places, flannelPlugin }: NodeFileSeed): void {
  for (const name of ['bridge', 'host-local', 'loopback', 'portmap']) {
    files.write(`${places.binDirectory}/${name}`, pluginBinary(name), { mode: 0o755 });
  }
  files.write(`${places.binDirectory}/flannel`, pluginBinary('flannel', flannelPlugin), {
    mode: 0o755,
  });
}

/** A file whose node is not told counts for every node only where there is one; here it counts for none. */
function isOf(fact: Fact<string>, node: string, address: string): boolean {
  const told = valueOr(fact, '');
  return told !== '' && (told === node || told === address);
}

export function confsAssumed(
  nodes: readonly NodeFileSeed[],
  source: SourceNetwork,
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
      command: `talosctl -n ${first.address} ls ${first.places.confDirectory}`,
    },
  ];
}
