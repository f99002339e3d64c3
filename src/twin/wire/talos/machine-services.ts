/** The services of a Talos machine as the twin plays them, and what its API may do with them. */
import type { TwinNode } from '../../world.ts';

export interface MachineServiceState {
  readonly id: string;
  readonly state: 'Running' | 'Finished';
  /** Undefined: it has no health check. */
  readonly healthy: boolean | undefined;
}

const ALWAYS = ['apid', 'containerd', 'cri', 'machined', 'syslogd', 'udevd'];
const CONTROL_PLANE = ['etcd', 'trustd'];
const WITHOUT_CHECK = new Set(['machined', 'syslogd']);

export function servicesOf(node: TwinNode): readonly MachineServiceState[] {
  const ids = [...ALWAYS, ...(node.role === 'control-plane' ? CONTROL_PLANE : []), 'kubelet'];
  return ids.toSorted().map((id) => {
    const runs = id !== 'kubelet' || node.kubelet.running;
    return {
      id,
      state: runs ? 'Running' : 'Finished',
      healthy: WITHOUT_CHECK.has(id) ? undefined : runs,
    };
  });
}
