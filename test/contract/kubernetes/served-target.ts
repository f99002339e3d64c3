/**
 * The twin over HTTPS through the real adapter, as a target of the Kubernetes contract: a kubeconfig
 * with a client certificate, a loopback socket, virtual time at the speed of the wall's clock.
 */
import { openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import type { ServedTwin } from '../../../src/twin/wire/serve-twin.ts';
import type { KubernetesTarget, TargetKind } from './target.ts';
import { askAsStranger } from './stranger.ts';
import { serveContractWorld } from '../served-world.ts';
import { HOST_READER } from './twin-target.ts';

const served = new Map<KubernetesTarget, ServedTwin>();

export const SERVED_TWIN: TargetKind = {
  name: 'kubernetes, the twin over HTTPS',
  nodes: HOST_READER,
  budgets: true,
  expire: (target) => {
    served.get(target)?.api.compact();
    return Promise.resolve();
  },
  strangerAsks: async (target) => {
    await askAsStranger(served.get(target)?.url ?? '');
  },
  make: async () => {
    const world = await serveContractWorld();
    const { twin, kubeconfig } = world;
    // Calls of a test wait for nobody: the throttle has tests of its own.
    const port = await openKubernetes({ kubeconfig, environment: {}, requestsPerSecond: 1_000 });
    const target: KubernetesTarget = {
      port,
      namespace: HOST_READER.namespace,
      run: (work) => work(),
      pass: (milliseconds) => {
        twin.pace.advance(milliseconds);
        return Promise.resolve();
      },
      close: async () => {
        served.delete(target);
        await port.close();
        await world.close();
      },
    };
    served.set(target, twin);
    return target;
  },
};
