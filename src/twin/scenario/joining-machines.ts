/**
 * Machines that join a cluster that runs: each is like one that was read, as an autoscaler or a person who
 * adds a worker makes it, with a name and an address of its own. It boots; what comes of that, its kubelet,
 * the controllers and the DaemonSets decide.
 */
import { contains, nthAddress, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import { isControlPlane } from '../../model/node-object.ts';
import { powerControlOf } from '../machine/power-control.ts';
import type { World } from '../world.ts';
import { seedNewMachine } from './node-files.ts';
import type { CreatedNodes, NewMachine } from './nodes.ts';
import { addressOf } from './versions-of.ts';

export type Joining = (like: string) => string | undefined;

interface Templates {
  /** As they were read: what the cluster has written on them since is not the machines'. */
  readonly objects: readonly NodeObject[];
  readonly configs: ReadonlyMap<string, string>;
}

export function joiningTo(world: World, made: CreatedNodes, templates: Templates): Joining {
  const kinds = new Map(templates.objects.map((node) => [node.metadata.name, node]));
  return (like) => {
    const template = kinds.get(like);
    // One more member of etcd is more than a machine more.
    if (template === undefined || isControlPlane(template)) return undefined;
    const name = nextName(template.metadata.name, world);
    kinds.set(name, template);
    const address = nextAddress(addressOf(template), world);
    const { node, seed } = made.add(machineLike(template, { name, address }, world, templates));
    seedNewMachine(seed);
    powerControlOf(node.machine)?.restore();
    return name;
  };
}

interface Identity {
  readonly name: string;
  readonly address: string;
}

function machineLike(
  template: NodeObject,
  own: Identity,
  { store }: World,
  { configs }: Templates,
): NewMachine {
  const old = { name: template.metadata.name, address: addressOf(template) };
  const proxy = store.get('Pod', 'kube-system', `kube-proxy-${old.name}`);
  const isStatic = proxy?.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
  return {
    object: nodeLike(template, old, own),
    config: renamed(configs.get(old.name) ?? '', old, own),
    ...(proxy !== undefined && isStatic ? { proxy: podLike(proxy, own) } : {}),
  };
}

/** Set by the cluster as it meets a node; none of it is the machine's. */
const OF_THE_CLUSTER =
  /^(node\.kubernetes\.io|node\.cilium\.io|node\.cloudprovider\.kubernetes\.io)\//;
const OF_THE_SYSTEM = /^(k3s\.io|rke2\.io|node\.alpha\.kubernetes\.io)\//;

/** What a kubelet of the same configuration says of its machine; ranges and Ready come from the cluster. */
function nodeLike(
  { metadata, spec, status }: NodeObject,
  old: Identity,
  own: Identity,
): NodeObject {
  const { labels = {}, annotations = {} } = metadata;
  const taints = (spec.taints ?? []).filter(({ key }) => !OF_THE_CLUSTER.test(key));
  const ofSystem = Object.entries(annotations).filter(([key]) => OF_THE_SYSTEM.test(key));
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: own.name,
      labels: Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [key, renamed(value, old, own)]),
      ),
      annotations: Object.fromEntries(
        ofSystem.map(([key, value]) => [key, renamed(value, old, own)]),
      ),
    },
    spec: taints.length === 0 ? {} : { taints },
    status: {
      ...(status.allocatable === undefined ? {} : { allocatable: status.allocatable }),
      ...(status.capacity === undefined ? {} : { capacity: status.capacity }),
      ...(status.nodeInfo === undefined ? {} : { nodeInfo: status.nodeInfo }),
      addresses: [
        { type: 'InternalIP', address: own.address },
        { type: 'Hostname', address: own.name },
      ],
      conditions: (status.conditions ?? []).filter(({ type }) => type.endsWith('Pressure')),
    },
  };
}

function podLike(pod: PodObject, own: Identity): PodObject {
  const { uid: _uid, resourceVersion: _version, ...metadata } = pod.metadata;
  const { ownerReferences: _owner, ...kept } = metadata;
  return {
    ...pod,
    metadata: { ...kept, name: `kube-proxy-${own.name}` },
    spec: { ...pod.spec, nodeName: own.name },
    status: { phase: 'Pending' },
  };
}

function renamed(text: string, old: Identity, own: Identity): string {
  return text.replace(whole(old.name), own.name).replace(whole(old.address), own.address);
}

/** Not as a part of a longer name or address. */
function whole(word: string): RegExp {
  return new RegExp(`(?<![\\w.-])${word.replaceAll('.', '\\.')}(?![\\w.-])`, 'g');
}

/** `wrk-02` after `wrk-01`, of those that are free; `w-2` after a name that ends in no number. */
function nextName(like: string, { nodes }: World): string {
  const [, stem = '', digits = ''] = /^(.*?)(\d*)$/.exec(like) ?? [];
  const base = digits === '' ? `${like}-` : stem;
  for (let number = Number(digits) + 1; ; number += 1) {
    const name = `${base}${String(number).padStart(digits.length, '0')}`;
    if (!nodes.has(name)) return name;
  }
}

/** After the highest of the same /24, which no node has. */
function nextAddress(like: string, { nodes }: World): string {
  const network = parseCidr(`${like}/24`);
  let highest = parseAddress(like);
  if (network === undefined || highest === undefined) return like;
  for (const { address } of nodes.values()) {
    const other = parseAddress(address);
    if (other !== undefined && contains(network, other) && other.first > highest.first)
      highest = other;
  }
  return nthAddress(highest, 1);
}
