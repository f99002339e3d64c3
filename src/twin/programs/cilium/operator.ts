/**
 * cilium-operator: reads its configuration once at start (pool changes need a restart), then one
 * replica leads: ranges for CiliumNodes, marks on nodes, unmanaged pods, endpoints of pods gone.
 */
import type { Process, ProcessHost } from '../../world.ts';
import { asCiliumNode } from '../../network/peer-tables.ts';
import { apiAccess } from '../api-access.ts';
import { hubOf } from '../hub.ts';
import { whenLeading } from '../leadership.ts';
import { Life } from '../life.ts';
import { type AgentConfig, agentVersion, configMapOf, configReasons } from './agent-config.ts';
import { registerKinds } from './definitions.ts';
import { removeEndpoint } from './endpoints.ts';
import { markNodes } from './node-taints.ts';
import { PoolAllocation } from './pool-allocation.ts';
import { watchUnmanagedPods } from './unmanaged-pods.ts';

export function ciliumOperator(host: ProcessHost): Process {
  const { world } = host;
  const life = new Life(world.kernel);
  if (host.adopted === true) run(host, life);
  else life.after(world.constants.apiCallMs, () => contactApi(host, life, world.kernel.now()));
  return life.asProcess();
}

function contactApi(host: ProcessHost, life: Life, since: number): void {
  const access = apiAccess(host);
  if (access.ok) {
    life.after(host.world.constants.appReadyMs, () => run(host, life));
    return;
  }
  if (host.world.kernel.now() - since < host.world.constants.ciliumApiPatienceMs) {
    life.after(host.world.constants.ciliumApiRetryMs, () => contactApi(host, life, since));
    return;
  }
  life.end('exited');
  host.exit(1, `Unable to contact k8s api-server error="${access.message}"`);
}

function run(host: ProcessHost, life: Life): void {
  const config = configMapOf(host) ?? {};
  registerKinds(host.world, agentVersion(host));
  host.setReady(true);
  whenLeading(host.world, 'cilium-operator', life, () => lead(host, life, config));
}

function lead(host: ProcessHost, life: Life, config: AgentConfig): void {
  const { world } = host;
  const hub = hubOf(world);
  if ((config['ipam'] ?? 'cluster-pool') === 'cluster-pool') {
    const allocation = new PoolAllocation(world, host.pod, config);
    allocation.start();
    life.onEnd(
      hub.follow('CiliumNode', 'all', ({ type, object }) => {
        if (type === 'deleted') allocation.release(asCiliumNode(object));
        else if (type === 'added') allocation.serve(asCiliumNode(object));
      }),
    );
  }
  markNodes(world, life, config);
  watchUnmanagedPods(world, life, config, configReasons(host));
  life.onEnd(
    hub.follow('Pod', 'all', ({ type, object }) => {
      if (type !== 'deleted') return;
      const { namespace = '', name, uid = '' } = object.metadata;
      removeEndpoint(world, { namespace, name, uid });
    }),
  );
}
