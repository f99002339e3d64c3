/**
 * A served twin of a large cluster, in a process of its own: the API server of `twin serve` over a
 * store that is filled and then stands still. Arguments: nodes, pods, the kubeconfig to write, and
 * `workloads` for none of the system's own pods. Says
 * `ready <url> <objects>` and ends with its standard input.
 */
import { writeFileSync } from 'node:fs';
import { constantsWith } from '../src/twin/constants.ts';
import { Kernel } from '../src/twin/kernel/kernel.ts';
import { expandCluster } from '../src/twin/scenario/expand-cluster.ts';
import { largeCluster } from '../src/twin/scenario/large-cluster.ts';
import { ObjectStore } from '../src/twin/store/object-store.ts';
import type { World } from '../src/twin/world.ts';
import { serveTwin } from '../src/twin/wire/serve-twin.ts';

const [nodes, pods, kubeconfig = '', only] = process.argv.slice(2);

const kernel = new Kernel(1, Date.now());
const store = new ObjectStore(kernel);
let objects = 0;
for (const { object } of expandCluster(largeCluster({ nodes: Number(nodes), pods: Number(pods) }))
  .objects) {
  if (only === 'workloads' && object.kind === 'Pod' && object.metadata.namespace === 'kube-system')
    continue;
  // Of many random names, two may be the same.
  const { namespace, name } = object.metadata;
  if (store.get<string>(object.kind, namespace, name) !== undefined) continue;
  store.create(object);
  objects += 1;
}

const world: World = {
  kernel,
  store,
  constants: constantsWith({}),
  versions: { kubernetes: '1.33.2', distribution: 'talos', distributionVersion: '1.10.5' },
  nodes: new Map(),
  fabric: { reach: nothingRuns, onChange: () => undefined },
  api: {
    healthy: () => true,
    check: () => ({ ok: true }),
    admit: () => ({ ok: true }),
    unauthorizedCount: () => 0,
    authenticationFailures: () => ({ server: '1', count: 0, uptimeMs: 0 }),
    refuseStranger: () => undefined,
    runsOn: () => false,
  },
};
const twin = await serveTwin({
  world,
  clusterName: 'large',
  speed: 1,
  host: '127.0.0.1',
  port: 0,
  now: Date.now(),
  onFailure: (error) => {
    throw error;
  },
});
writeFileSync(kubeconfig, twin.kubeconfig, { mode: 0o600 });
console.log(`ready ${twin.url} ${objects}`);
process.stdin.resume();
process.stdin.once('end', () => void twin.close());

function nothingRuns(): never {
  throw new Error('nothing runs in this world');
}
