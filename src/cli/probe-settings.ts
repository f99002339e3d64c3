/** How probes are opened on a real cluster: the agent's program, and what the flags say. */
import { fromMirror } from '../drivers/host-access/host-pod.ts';
import type { ProberSettings } from '../drivers/prober/open-prober.ts';
import { PROBE_IMAGE } from '../knowledge/probes/objects.ts';
import agentScript from '../probe-agent/agent.script';
import type { ProbeFlags, HostImageFlags } from './flags.ts';

type Chosen = Pick<ProberSettings, 'agentScript' | 'image' | 'egress' | 'externalName'>;

export function probeSettings(flags: ProbeFlags & Partial<HostImageFlags>): Chosen {
  const { probeImage, egress, externalName, registryMirror } = flags;
  return {
    agentScript,
    image: fromMirror(probeImage ?? PROBE_IMAGE, registryMirror),
    ...(egress === undefined ? {} : { egress }),
    ...(externalName === undefined ? {} : { externalName }),
  };
}
