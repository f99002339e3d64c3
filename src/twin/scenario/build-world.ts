/**
 * A twin of a cluster, put together from what was read of it: objects, machine configs, files. It
 * starts as the cluster was, without starting anything again; what was not read is assumed, and
 * every assumption is listed.
 */
import { present } from '../../base/assert.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { isControlPlane } from '../../model/node-object.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { createApiServer } from '../api/create-api-server.ts';
import { type Constants, constantsWith } from '../constants.ts';
import { evictPod } from '../controllers/eviction.ts';
import { startControllers } from '../controllers/start-controllers.ts';
import { Kernel } from '../kernel/kernel.ts';
import { configSourcesOf } from '../kubelet/config-sources.ts';
import type { ProgramFor } from '../kubelet/kubelet-context.ts';
import { createFabric } from '../network/fabric.ts';
import type { Releases } from '../ports/helm/helm-port.ts';
import { programFor } from '../programs/program-for.ts';
import { ObjectStore } from '../store/object-store.ts';
import type { ApiServer, Fabric, TwinNode, World } from '../world.ts';
import { overridesAssumed, overridesIn } from './constant-overrides.ts';
import { type Joining, joiningTo } from './joining-machines.ts';
import { keepFailing } from './failing-workloads.ts';
import { liveReleases } from './live-releases.ts';
import { loadObjects } from './load-objects.ts';
import { machineConfigsOf } from './machine-configs.ts';
import { modelledPart } from './modelled-nodes.ts';
import {
  confsAssumed,
  k3sSource,
  type NodeFileSeed,
  seedNodeFiles,
  settleConfs,
  type SourceNetwork,
  sourceNetwork,
} from './node-files.ts';
import { type CreatedNodes, createNodes } from './nodes.ts';
import { podNetworkOf } from './pod-network.ts';
import { adoptRunningPods } from './running-pods.ts';
import { unreadKinds } from './unread-kinds.ts';
import { addressOf, versionsOf } from './versions-of.ts';

export interface BuildOptions {
  readonly seed: number;
  readonly constants?: Partial<Constants>;
  /** What the clock of the wall shows at virtual zero (milliseconds since 1970); 0 when absent. */
  readonly epochMs?: number;
  /** What works on the objects; kube-controller-manager's controllers and the scheduler when absent. */
  readonly controllers?: (world: World) => void;
  /** Comes between the kubelets and what runs in containers. */
  readonly wrapPrograms?: (programFor: ProgramFor) => ProgramFor;
}

/** A world with what its ports need besides. */
export interface TwinWorld extends World {
  readonly releases: Releases;
  /** `talosctl upgrade-k8s`; does nothing on other distributions. */
  upgradeKubernetes(): void;
  /** A machine like that of the node boots and joins; its name, or undefined where there is none like it. */
  join(like: string): string | undefined;
}

export interface BuiltWorld {
  readonly world: TwinWorld;
  readonly assumptions: readonly Assumption[];
}

export function buildWorld(read: ClusterInput, options: BuildOptions): BuiltWorld {
  const { input, assumptions: leftOut } = modelledPart(read);
  const objects = nodesIn(input);
  const overrides = overridesIn(input.constants ?? {});
  const kernel = new Kernel(options.seed, options.epochMs);
  const store = new ObjectStore(kernel);
  const owners = loadObjects(store, input.objects);
  const live = liveReleases(store, input);
  const nodes = new Map<string, TwinNode>();
  const late: { fabric?: Fabric; api?: ApiServer; made?: CreatedNodes; join?: Joining } = {};
  const world: TwinWorld = {
    kernel,
    store,
    constants: constantsWith({ ...overrides, ...options.constants }),
    versions: versionsOf(objects),
    nodes,
    releases: live.releases,
    get fabric() {
      return present(late.fabric, 'the fabric of a world that is being built');
    },
    get api() {
      return present(late.api, 'the API server of a world that is being built');
    },
    upgradeKubernetes: () => late.made?.talos.upgradeKubernetes(),
    join: (like) => late.join?.(like),
  };
  configSourcesOf(world).listed(input.kindsListed ?? []);
  const configs = machineConfigsOf(
    input,
    world.versions.distribution === 'talos' ? objects.map(described) : [],
  );
  const failing = keepFailing(input, programFor);
  const made = createNodes(
    {
      world,
      nodes,
      programFor: options.wrapPrograms?.(failing.programFor) ?? failing.programFor,
      configs: configs.byNode,
      evict: (namespace, pod) => evictPod(world, namespace, pod),
    },
    objects,
  );
  late.made = made;
  late.join = joiningTo(world, made, { objects, configs: configs.byNode });
  late.fabric = createFabric({ kernel, store, nodes, api: () => world.api });
  late.api = createApiServer(world);
  for (const service of made.services) service.adopt();
  const source = k3sSource(made.services) ?? sourceNetwork(store);
  const seeds = [...made.created.values()].map(({ seed }) => seed);
  for (const seed of seeds) seedNodeFiles(seed, source, store);
  (options.controllers ?? startControllers)(world);
  made.talos.start();
  const settling = settlingOf(seeds, input, source);
  const anew = adoptRunningPods({
    world,
    created: made.created,
    networkOf: podNetworkOf(store),
    leaseNetwork: source.name,
    settleFiles: settling.settle,
  });
  const files = confsAssumed(settling.unread, source, world.versions.distribution);
  return {
    world,
    assumptions: [
      ...leftOut,
      ...overridesAssumed(overrides),
      ...configs.assumptions,
      ...files,
      ...anew,
      ...failing.assumptions,
      ...owners,
      ...live.assumptions,
      ...unreadKinds(input),
    ],
  };
}

/**
 * Brings conf directories to what was read of them, and notes of which nodes nothing was. Apart, since
 * a closure of `buildWorld` that knew the input would keep it for as long as the world lives.
 */
function settlingOf(
  seeds: readonly NodeFileSeed[],
  input: ClusterInput,
  source: SourceNetwork,
): { settle(): void; readonly unread: readonly NodeFileSeed[] } {
  const unread: NodeFileSeed[] = [];
  return {
    unread,
    settle: () => {
      for (const seed of seeds) if (!settleConfs(seed, input, source)) unread.push(seed);
    },
  };
}

function nodesIn(input: ClusterInput): readonly NodeObject[] {
  const nodes = input.objects.flatMap(({ object }) =>
    // The kind and group say what it is.
    object.kind === 'Node' && object.apiVersion === 'v1' ? [object as NodeObject] : [],
  );
  if (nodes.length > 0) return nodes;
  throw new RegaugeError(
    'bad-input',
    'there are no Node objects among the files, and a twin needs to know its nodes',
    {
      hint: 'kubectl get nodes,pods,daemonsets,deployments,replicasets,statefulsets,services,pdb,pv,pvc,volumeattachments,configmaps -A -o yaml > snapshot.yaml',
    },
  );
}

function described(node: NodeObject): { name: string; address: string; controlPlane: boolean } {
  return { name: node.metadata.name, address: addressOf(node), controlPlane: isControlPlane(node) };
}
