/** A Service's addresses follow the readiness of its pods. */
import { describe, expect, it } from 'vitest';
import type { KubeObject, ServiceObject } from '../../model/kubernetes.ts';
import { kubeletWorld, type KubeletWorld } from '../../../test/support/kubelet-world.ts';
import { deploymentOf, podsOfApp, WITH_FLANNEL } from '../../../test/support/workloads.ts';
import type { EndpointSliceObject } from './endpoints.ts';
import { startControllers } from './start-controllers.ts';

function cluster(): KubeletWorld {
  const world = kubeletWorld({ nodes: ['a', 'b'].map((name) => ({ name, files: WITH_FLANNEL })) });
  startControllers(world);
  world.store.create<ServiceObject>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      clusterIP: '10.96.0.20',
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8080 }],
    },
  });
  world.store.create(deploymentOf('web', 2));
  world.run(15);
  return world;
}

function isSlice(object: KubeObject | undefined): object is EndpointSliceObject {
  return object?.kind === 'EndpointSlice';
}

function endpoints(world: KubeletWorld): readonly string[] {
  const slice: KubeObject | undefined = world.store.get('EndpointSlice', 'default', 'web');
  if (!isSlice(slice)) return [];
  return slice.endpoints
    .map(({ addresses, conditions }) => `${addresses[0]} ${conditions.ready}`)
    .toSorted();
}

describe('an EndpointSlice', () => {
  it('holds the ready pods by address', () => {
    const world = cluster();
    const expected = podsOfApp(world, 'web').map(({ status }) => `${status.podIP} true`);
    expect(endpoints(world)).toEqual(expected.toSorted());
  });

  it('drops a pod the moment it is to go', () => {
    const world = cluster();
    const [pod] = podsOfApp(world, 'web');
    world.store.delete('Pod', 'default', pod?.metadata.name ?? '');
    world.run(0.05);
    expect(endpoints(world)).toHaveLength(1);
    expect(endpoints(world)[0]).not.toContain(pod?.status.podIP ?? '-');
  });

  it('follows within a second when the sandbox of a pod is stopped, and has the pod back with its new address', () => {
    const world = cluster();
    const [pod] = podsOfApp(world, 'web');
    const old = pod?.status.podIP ?? '-';
    world.node(pod?.spec.nodeName ?? '').kubelet.restartSandbox(pod?.metadata.uid ?? '');
    world.run(1.1);
    expect(endpoints(world)).not.toContain(`${old} true`);
    world.run(15);
    expect(endpoints(world).join()).not.toContain(old);
    expect(endpoints(world).filter((endpoint) => endpoint.endsWith('true'))).toHaveLength(2);
  });

  it('shows the pods of a silent node as not ready', () => {
    const world = cluster();
    const [pod] = podsOfApp(world, 'web');
    world.powerOff(pod?.spec.nodeName ?? '');
    world.run(60);
    expect(endpoints(world)).toContain(`${pod?.status.podIP} false`);
  });

  it('goes with its Service', () => {
    const world = cluster();
    world.store.delete('Service', 'default', 'web');
    world.run(1);
    expect(endpoints(world)).toEqual([]);
  });
});
