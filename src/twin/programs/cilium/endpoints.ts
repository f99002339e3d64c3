/**
 * The agent's endpoints: addresses from the node's own range, and a CiliumEndpoint per pod. What runs
 * when the agent starts again is found on the node, so a restart gives nothing away twice (truth:P07).
 */
import { parseCidr, nthAddress } from '../../../base/cidr.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { AgentSocket, SandboxRequest, TwinNode, World } from '../../world.ts';
import { networkOf } from '../../network/kernel-network.ts';

export interface CiliumEndpointObject extends KubeObject {
  readonly status?: {
    readonly podUid?: string;
    readonly networking?: { readonly node?: string };
  };
}

/** Network address, and the router's (cilium_host). */
const RESERVED_FIRST = 2;

export function createAgentSocket(world: World, node: TwinNode, podCidr: string): AgentSocket {
  const range = parseCidr(podCidr);
  const size = range === undefined ? 0 : Number(range.last - range.first);
  const byPod = new Map<string, string>();
  const used = new Set<string>();
  for (const { network, podUid, ip } of networkOf(node).allAttachments()) {
    if (network !== 'cilium') continue;
    byPod.set(podUid, ip);
    used.add(ip);
  }
  let next = RESERVED_FIRST + used.size;
  const free = (): string | undefined => {
    if (range === undefined) return undefined;
    for (let tries = RESERVED_FIRST; tries < size; tries += 1) {
      if (next >= size) next = RESERVED_FIRST;
      const address = nthAddress(range, next);
      next += 1;
      if (!used.has(address)) return address;
    }
    return undefined;
  };
  const release = (podUid: string): void => {
    const ip = byPod.get(podUid);
    if (ip === undefined) return;
    byPod.delete(podUid);
    used.delete(ip);
    removeEndpoint(world, podUid);
  };
  return {
    allocate: (request) => {
      release(request.podUid);
      const ip = free();
      if (ip === undefined)
        return {
          error: `unable to allocate IP via local cilium agent: range is full`,
          because: [],
        };
      byPod.set(request.podUid, ip);
      used.add(ip);
      putEndpoint(world, node, request, ip);
      return { ip };
    },
    release,
  };
}

const endpointNames = new WeakMap<World, Map<string, { namespace: string; name: string }>>();

function namesOf(world: World): Map<string, { namespace: string; name: string }> {
  let names = endpointNames.get(world);
  if (names === undefined) endpointNames.set(world, (names = new Map()));
  return names;
}

function putEndpoint(world: World, node: TwinNode, request: SandboxRequest, ip: string): void {
  const { namespace, name, podUid } = request;
  const status = {
    podUid,
    state: 'ready',
    networking: { addressing: [{ ipv4: ip }], node: node.address },
  };
  namesOf(world).set(podUid, { namespace, name });
  const old = world.store.get<string>('CiliumEndpoint', namespace, name);
  if (old !== undefined) {
    world.store.update<string>('CiliumEndpoint', namespace, name, (object) => ({
      ...object,
      status,
    }));
    return;
  }
  const object = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEndpoint',
    metadata: { namespace, name },
    status,
  };
  world.store.create(object);
}

/** Only the endpoint of this very pod: a successor of the same name may have taken the object over. */
export function removeEndpoint(world: World, podUid: string): void {
  const names = namesOf(world);
  const found = names.get(podUid);
  if (found === undefined) return;
  names.delete(podUid);
  const object: CiliumEndpointObject | undefined = world.store.get<string>(
    'CiliumEndpoint',
    found.namespace,
    found.name,
  );
  if (object?.status?.podUid === podUid)
    world.store.remove('CiliumEndpoint', found.namespace, found.name);
}

export function hasEndpoint(world: World, namespace: string, name: string): boolean {
  return world.store.get<string>('CiliumEndpoint', namespace, name) !== undefined;
}
