/**
 * The agent's endpoints: addresses from the node's own range, and a CiliumEndpoint per pod. What runs
 * when the agent starts again is found on the node, so a restart gives nothing away twice (truth:P07).
 */
import { parseCidr, nthAddress } from '../../../base/cidr.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { AgentSocket, SandboxRequest, TwinNode, World } from '../../world.ts';
import { networkOf } from '../../network/kernel-network.ts';

/** Network address, and the router's (cilium_host). */
const RESERVED_FIRST = 2;

export function createAgentSocket(world: World, node: TwinNode, podCidr: string): AgentSocket {
  const range = parseCidr(podCidr);
  const size = range === undefined ? 0 : Number(range.last - range.first);
  const network = networkOf(node);
  const byPod = new Map<string, string>();
  const used = new Set<string>();
  const pods = new Map<string, { readonly namespace: string; readonly name: string }>();
  let stockTaken = false;
  /** Pods found on the node: from before this agent; any later one has its address from here. */
  const takeStock = (): void => {
    if (stockTaken) return;
    stockTaken = true;
    for (const attachment of network.allAttachments()) {
      if (attachment.network !== 'cilium' || byPod.has(attachment.podUid)) continue;
      byPod.set(attachment.podUid, attachment.ip);
      used.add(attachment.ip);
    }
  };
  let next = RESERVED_FIRST;
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
    const pod = pods.get(podUid);
    pods.delete(podUid);
    // Endpoints from before this agent go with their pods, by the operator's clean-up.
    if (pod !== undefined) removeEndpoint(world, { ...pod, uid: podUid });
  };
  return {
    allocate: (request) => {
      takeStock();
      release(request.podUid);
      const ip = request.ip !== undefined && !used.has(request.ip) ? request.ip : free();
      if (ip === undefined)
        return {
          error: `unable to allocate IP via local cilium agent: range is full`,
          because: [],
        };
      byPod.set(request.podUid, ip);
      used.add(ip);
      pods.set(request.podUid, { namespace: request.namespace, name: request.name });
      putEndpoint(world, node, request, ip);
      return { ip };
    },
    release,
  };
}

function putEndpoint(world: World, node: TwinNode, request: SandboxRequest, ip: string): void {
  const { namespace, name, podUid } = request;
  const status = {
    state: 'ready',
    networking: { addressing: [{ ipv4: ip }], node: node.address },
  };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid: podUid }];
  const old = world.store.get<string>('CiliumEndpoint', namespace, name);
  if (old !== undefined) {
    world.store.update<string>('CiliumEndpoint', namespace, name, (object) => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences },
      status,
    }));
    return;
  }
  const object = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEndpoint',
    metadata: { namespace, name, ownerReferences },
    status,
  };
  world.store.create(object);
}

/** Only the endpoint of this very pod: a successor of the same name may have taken the object over. */
export function removeEndpoint(
  world: World,
  {
    namespace,
    name,
    uid,
  }: { readonly namespace: string; readonly name: string; readonly uid: string },
): void {
  const object: KubeObject | undefined = world.store.get<string>('CiliumEndpoint', namespace, name);
  if (object?.metadata.ownerReferences?.[0]?.uid !== uid) return;
  world.store.remove('CiliumEndpoint', namespace, name);
}

export function hasEndpoint(world: World, namespace: string, name: string): boolean {
  return world.store.get<string>('CiliumEndpoint', namespace, name) !== undefined;
}
