/**
 * Why a sandbox still cannot be made: a kubelet tells a failure once, and its reason then may have been
 * a boot that every node survives. What keeps it failing is why the file that the plugin names is still
 * not there, and why the runtime still chooses that plugin's conf.
 */
import { CALICO_NODENAME } from '../../knowledge/canal.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import { networkOf } from '../network/kernel-network.ts';
import { AGENT_SOCKETS } from '../programs/cilium/agent.ts';
import { SUBNET_ENV } from '../programs/removals.ts';
import type { TwinNode, World } from '../world.ts';

export function standingReasons(
  world: World,
  name: string | undefined,
  message: string,
  unmanaged: ReadonlyMap<string, OccurrenceId>,
): readonly OccurrenceId[] {
  const node = world.nodes.get(name ?? '');
  if (node === undefined) return [];
  if (message.includes('type="cilium-cni"')) return missing(node, AGENT_SOCKETS[0]);
  if (message.includes('type="calico"')) return missing(node, CALICO_NODENAME);
  if (!message.includes('type="flannel"')) return [];
  const reasons = missing(node, SUBNET_ENV);
  const disabled = unmanaged.get(node.name);
  // An agent that serves could have taken the node over, had it been told to write its conf.
  const serves = networkOf(node).cilium !== undefined && node.sockets.has(AGENT_SOCKETS[0]);
  return disabled !== undefined && serves ? [...reasons, disabled] : reasons;
}

function missing({ files }: TwinNode, path: string): readonly OccurrenceId[] {
  return files.exists(path) ? [] : files.causesOf(path);
}
