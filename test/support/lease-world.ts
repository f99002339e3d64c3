/** A twin of one node, and connections to its API that can be cut, for tests of what holds a cluster. */
import { RegaugeError } from '../../src/base/errors.ts';
import { guarded } from '../../src/engine/run/guard-ports.ts';
import type { LeaseOptions } from '../../src/engine/lease/hold-lease.ts';
import type { KubernetesPort } from '../../src/ports/index.ts';
import { createTwinPorts, type TwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld } from '../../src/twin/scenario/build-world.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import { readClusterSpec } from '../../src/twin/scenario/read-spec.ts';

const SPEC = `
kind: ClusterSpec
name: one
versions: { talos: 1.10.2, kubernetes: 1.33.0 }
network: { endpoint: 'https://10.0.0.9:6443' }
machine: {}
nodes: { prefix: t, controlPlanes: 1, workers: 0, firstAddress: 10.0.0.10 }
`;

export interface Connection {
  readonly kubernetes: KubernetesPort;
  /** Nothing is answered any more, as to a process that is gone. */
  die(): void;
  /** Every call fails, as on a network that is. */
  cutOff(): void;
  mend(): void;
}

export interface LeaseWorld {
  readonly ports: TwinPorts;
  readonly drive: <T>(work: () => Promise<T>) => Promise<T>;
  readonly options: (holder: string) => LeaseOptions;
  readonly dying: () => Connection;
}

export function oneNode(): LeaseWorld {
  const { world } = buildWorld(expandCluster(readClusterSpec(SPEC, 'one.yaml')), { seed: 1 });
  const ports = createTwinPorts(world);
  return {
    ports,
    drive: (work) => world.kernel.drive(work),
    options: (holder) => ({
      kubernetes: ports.kubernetes,
      clock: ports.clock,
      wallTime: () => world.kernel.now(),
      holder,
    }),
    dying: () => connection(ports.kubernetes),
  };
}

function connection(kubernetes: KubernetesPort): Connection {
  let state: 'well' | 'dead' | 'cut' = 'well';
  return {
    kubernetes: guarded(kubernetes, (_method, call) => {
      if (state === 'dead') return new Promise(() => undefined);
      if (state === 'cut')
        return Promise.reject(new RegaugeError('unreachable', 'dial tcp: i/o timeout'));
      return call();
    }),
    die: () => (state = 'dead'),
    cutOff: () => (state = 'cut'),
    mend: () => (state = 'well'),
  };
}
