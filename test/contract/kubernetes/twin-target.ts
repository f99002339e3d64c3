/** The twin as a target of the Kubernetes contract: one world, for the port in memory and for others over it. */
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import { createTwinPorts } from '../../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../../src/twin/scenario/build-world.ts';
import { tinyCluster } from '../../support/small-cluster.ts';
import { changeHistoryOf } from '../../../src/twin/store/change-history.ts';
import type { KubernetesTarget, NodeAbility, TargetKind } from './target.ts';

const NAMESPACE = 'contract';
const SETTLE_MS = 120_000;

export const HOST_READER: NodeAbility = {
  namespace: NAMESPACE,
  pod: 'host-reader',
  container: 'reader',
  file: '10-flannel.conflist',
  holds: 'flannel',
};

/** A small cluster that runs Flannel, with a namespace for the contract and a pod that sees its node. */
export function contractWorld(): TwinWorld {
  const { world } = buildWorld(tinyCluster({ workers: 1 }), { seed: 1 });
  const [node = ''] = [...world.nodes.values()]
    .filter(({ role }) => role === 'worker')
    .map(({ name }) => name);
  world.store.create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  world.store.create(hostReader(node));
  world.kernel.runUntil(world.kernel.now() + SETTLE_MS);
  return world;
}

function hostReader(nodeName: string): KubeObject & { readonly spec: object } {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: NAMESPACE, name: HOST_READER.pod },
    spec: {
      nodeName,
      hostNetwork: true,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: HOST_READER.container,
          image: 'docker.io/library/busybox:1.37',
          volumeMounts: [{ name: 'cni', mountPath: '/host/cni' }],
        },
      ],
      volumes: [{ name: 'cni', hostPath: { path: '/etc/cni' } }],
    },
    status: { phase: 'Pending' },
  };
  return pod;
}

export const TWIN_IN_MEMORY: TargetKind = {
  name: 'kubernetes, the twin in memory',
  nodes: HOST_READER,
  bookmarks: true,
  budgets: true,
  expire: () => {
    for (const world of open) changeHistoryOf(world.store).compact();
    return Promise.resolve();
  },
  strangerAsks: () => {
    const token = {
      namespace: 'default',
      serviceAccount: 'nobody',
      serviceAccountUid: 'none',
      podUid: 'none',
      because: [],
    };
    for (const { api, kernel } of open)
      api.check({ kind: 'token', token: { ...token, issuedAtMs: kernel.now() } });
    return Promise.resolve();
  },
  make: () => {
    const world = contractWorld();
    open.add(world);
    const target: KubernetesTarget = {
      port: createTwinPorts(world).kubernetes,
      namespace: NAMESPACE,
      run: (work) => world.kernel.drive(work),
      pass: (milliseconds) => world.kernel.answer(milliseconds, () => undefined),
      close: () => {
        open.delete(world);
        return Promise.resolve();
      },
    };
    return Promise.resolve(target);
  },
};

/** Worlds of targets that are not closed yet: `expire` is told of a target, not of its world. */
const open = new Set<TwinWorld>();
