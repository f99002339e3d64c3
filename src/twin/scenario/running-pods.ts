/**
 * Pods that ran when the cluster was looked at, taken over as they are: attachments and leases on
 * their nodes, containers without a new start. Pods that were waiting are told to their kubelet.
 */
import { nthAddress, parseAddress } from '../../base/cidr.ts';
import { RegaugeError } from '../../base/errors.ts';
import { objectKey, type PodObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import type { SandboxRequest, World } from '../world.ts';
import type { CreatedNode } from './nodes.ts';
import type { PodNetwork } from './pod-network.ts';

export interface Adoption {
  readonly world: World;
  readonly created: ReadonlyMap<string, CreatedNode>;
  readonly networkOf: (pod: PodObject) => PodNetwork;
  /** The name under which host-local keeps the old network's leases. */
  readonly leaseNetwork: string;
  /** Brings the nodes' conf directories to what was read of them. */
  readonly settleFiles: () => void;
}

interface Running {
  readonly made: CreatedNode;
  readonly pod: PodObject;
}

/**
 * In the order in which each needs the other: what the old network's pods need, those pods, the
 * conf directories as they are now, then Cilium's agents and the pods they carry. A pod whose sandbox
 * cannot be made up from what was read starts anew, and is said to.
 */
export function adoptRunningPods(adoption: Adoption): readonly Assumption[] {
  const { world, created, networkOf } = adoption;
  const groups: Record<'host' | 'old' | 'agent' | 'new', Running[]> = {
    host: [],
    old: [],
    agent: [],
    new: [],
  };
  const waiting: PodObject[] = [];
  for (const [name, made] of created) {
    if (!made.node.machine.up) continue;
    for (const pod of world.store.podsOn(name)) {
      if (hasEnded(pod)) continue;
      if (isRunning(pod)) groups[groupOf(pod, networkOf)].push({ made, pod });
      else waiting.push(pod);
    }
  }
  const failed: Unadopted[] = [];
  const adoptAll = (all: readonly Running[]): void => {
    for (const running of all) {
      const message = adopt(adoption, running);
      if (message !== undefined) failed.push({ pod: running.pod, message });
    }
  };
  adoptAll([...groups.host, ...groups.old]);
  adoption.settleFiles();
  adoptAll([...groups.agent, ...groups.new]);
  refuseForeignNetwork(failed, groups.old.length + groups.new.length);
  for (const { pod } of failed) forgetRunning(world, pod);
  for (const pod of waiting) tellKubelet(world, pod);
  return startedAnew(failed);
}

interface Unadopted {
  readonly pod: PodObject;
  readonly message: string;
}

/**
 * Where most pods have a network that nothing read explains, the cluster runs one that the twin does
 * not know (Calico, Weave…): a rehearsal would be one of another cluster.
 */
function refuseForeignNetwork(failed: readonly Unadopted[], pods: number): void {
  const [first] = failed;
  if (first === undefined || failed.length * 2 <= pods) return;
  throw new RegaugeError(
    'refused',
    `no rehearsal is made: ${failed.length} of ${pods} running pods have a network that what was read does not explain (${objectKey(first.pod)}: ${first.message})`,
    {
      hint: 'The twin plays Flannel as a DaemonSet or in K3s, Canal, and Cilium. If that is what runs here, add its DaemonSet and ConfigMap to the input (kubectl get nodes,ds,cm -A -o yaml); Calico alone is not played yet.',
    },
  );
}

function startedAnew(failed: readonly Unadopted[]): readonly Assumption[] {
  const [first] = failed;
  if (first === undefined) return [];
  const count = failed.length;
  return [
    {
      about: `${count === 1 ? 'pod' : `${count} pods, for one`} ${objectKey(first.pod)}`,
      assumed: `not running yet: ${count === 1 ? 'it starts' : 'they start'} when the rehearsal does`,
      because: `what was read does not explain how ${count === 1 ? 'it got its' : 'they got their'} network (${first.message})`,
    },
  ];
}

function groupOf(
  pod: PodObject,
  networkOf: Adoption['networkOf'],
): 'host' | 'old' | 'agent' | 'new' {
  if (pod.metadata.labels?.['k8s-app'] === 'cilium') return 'agent';
  if (pod.spec.hostNetwork === true) return 'host';
  return networkOf(pod) === 'cilium' ? 'new' : 'old';
}

/** Why not, when the runtime could not have made the pod's sandbox with what is there. */
function adopt({ networkOf, leaseNetwork }: Adoption, { made, pod }: Running): string | undefined {
  const request = requestOf(pod);
  const { ip } = request;
  if (ip !== undefined && networkOf(pod) !== 'cilium') setNextLease(made, leaseNetwork, ip);
  const sandbox = made.runtime.adopt(request);
  if (!sandbox.ok) return sandbox.message;
  made.node.kubelet.adopt(pod, { id: sandbox.id, ip });
  return undefined;
}

/** host-local gives out the address after the last one: set so that this pod gets the one it has. */
function setNextLease({ node }: CreatedNode, network: string, ip: string): void {
  const address = parseAddress(ip);
  if (address === undefined) return;
  node.files.write(`/var/lib/cni/networks/${network}/last_reserved_ip.0`, nthAddress(address, -1));
}

function requestOf(pod: PodObject): SandboxRequest {
  const hostPorts = pod.spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, containerPort, protocol = 'TCP' }) =>
      hostPort === undefined ? [] : [{ hostPort, containerPort, protocol }],
    ),
  );
  return {
    podUid: pod.metadata.uid ?? '',
    namespace: pod.metadata.namespace ?? 'default',
    name: pod.metadata.name,
    hostNetwork: pod.spec.hostNetwork === true,
    hostPorts,
    ...(pod.spec.hostNetwork === true || pod.status.podIP === undefined
      ? {}
      : { ip: pod.status.podIP }),
  };
}

/** A pod with an address has had its sandbox made, whatever its containers do. */
function isRunning(pod: PodObject): boolean {
  return (
    pod.status.phase === 'Running' &&
    (pod.spec.hostNetwork === true || pod.status.podIP !== undefined)
  );
}

function hasEnded(pod: PodObject): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** Its status is that of a pod that was just bound: nothing counts it as ready meanwhile. */
function forgetRunning(world: World, pod: PodObject): void {
  const { namespace, name } = pod.metadata;
  world.store.update('Pod', namespace, name, (old) => ({
    ...old,
    status: {
      ...(old.status.hostIP === undefined ? {} : { hostIP: old.status.hostIP }),
      phase: 'Pending',
    },
  }));
}

/** A change of nothing: its kubelet hears of the pod, and begins with it as with a new one. */
function tellKubelet(world: World, pod: PodObject): void {
  world.store.update('Pod', pod.metadata.namespace, pod.metadata.name, (old) => ({ ...old }));
}
