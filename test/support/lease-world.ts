/** A twin of one node, and connections to its API that can be cut, for tests of what holds a cluster. */
import { RegaugeError } from '../../src/base/errors.ts';
import { guarded } from '../../src/engine/run/guard-ports.ts';
import type { LeaseOptions } from '../../src/engine/lease/hold-lease.ts';
import type { KubernetesPort } from '../../src/ports/index.ts';
import { createTwinPorts, type TwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld } from '../../src/twin/scenario/build-world.ts';
import { tinyCluster } from './small-cluster.ts';

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
  const { world } = buildWorld(tinyCluster({ workers: 0 }), { seed: 1 });
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
