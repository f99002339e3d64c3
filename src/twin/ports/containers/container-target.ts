/**
 * Which container is meant, and where it is. The API server asks the kubelet: each that is not there
 * says so in its own words (KK pkg/registry/core/pod/strategy.go, pkg/kubelet/server).
 */
import { RegaugeError } from '../../../base/errors.ts';
import type { PodObject } from '../../../model/kubernetes.ts';
import type { TwinNode, World } from '../../world.ts';

/** Which container of which pod is meant. */
export interface ContainerTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

export function podOf({ store }: World, { namespace, pod }: ContainerTarget): PodObject {
  const found = store.get('Pod', namespace, pod);
  if (found !== undefined) return found;
  throw new RegaugeError('not-found', `pods "${pod}" not found`);
}

export function containerOf({ spec, metadata }: PodObject, wanted: string | undefined): string {
  const all = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
  if (wanted !== undefined) {
    if (all.includes(wanted)) return wanted;
    const message = `container ${wanted} is not valid for pod ${metadata.name}`;
    throw new RegaugeError('refused', message);
  }
  const [only, second] = spec.containers;
  const named = metadata.annotations?.[DEFAULT_CONTAINER];
  if (named !== undefined && all.includes(named)) return named;
  if (only !== undefined && second === undefined) return only.name;
  const choices = all.join(' ');
  const message = `a container name must be specified for pod ${metadata.name}, choose one of: [${choices}]`;
  throw new RegaugeError('refused', message);
}

export function nodeOf({ nodes }: World, { spec, metadata }: PodObject): TwinNode {
  if (spec.nodeName === undefined) {
    throw new RegaugeError('refused', `pod ${metadata.name} does not have a host assigned`);
  }
  const node = nodes.get(spec.nodeName);
  if (node === undefined) {
    const message = `error dialing backend: no node ${spec.nodeName} is known`;
    throw new RegaugeError('unreachable', message);
  }
  if (node.machine.up && node.kubelet.running) return node;
  const why = node.machine.up ? 'connect: connection refused' : 'i/o timeout';
  const message = `error dialing backend: dial tcp ${node.address}:10250: ${why}`;
  throw new RegaugeError('unreachable', message);
}
