/** iptables and ipset in an agent's container: of the host's network namespace where the pod is on it. */
import type { PodObject } from '../../../model/kubernetes.ts';
import type { ExecResult } from '../../../ports/index.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { FILTER_PROGRAMS, PacketFilter } from '../../network/packet-filter.ts';
import type { ExecContext, Program } from './exec-context.ts';
import { hostChangesOf } from '../host-changes.ts';

export const FILTER_TOOLS: ReadonlySet<string> = new Set([...FILTER_PROGRAMS.keys(), 'ipset']);

export function packetFilterProgram(name: string): Program {
  const kind = FILTER_PROGRAMS.get(name);
  return (args, context) => {
    const filter = filterOf(context);
    if (kind?.saves === true)
      return { exitCode: 0, stdout: filter.saved(kind.family, kind.backend), stderr: '' };
    const run = (): ExecResult =>
      kind === undefined ? filter.ipset(args) : filter.command(kind.family, kind.backend, args);
    if (kind === undefined && args[0] === 'list') return run();
    return changed(context, `${name} ${args.join(' ')}`, run);
  };
}

function filterOf({ pod, node }: ExecContext): PacketFilter {
  return pod.spec.hostNetwork === true ? networkOf(node).filter : new PacketFilter();
}

function changed(
  { world, node, pod }: ExecContext,
  command: string,
  run: () => ExecResult,
): ExecResult {
  if (!mayChange(pod)) {
    const stderr = `${command.split(' ')[0] ?? ''} v1.8.8: Could not fetch rule set generation id: Permission denied (you must be root)\n`;
    return { exitCode: 4, stdout: '', stderr };
  }
  if (pod.spec.hostNetwork !== true) return run();
  let result: ExecResult | undefined;
  hostChangesOf(world.kernel).rules(node.name, command, () => {
    result = run();
  });
  return result ?? { exitCode: 1, stdout: '', stderr: '' };
}

function mayChange({ spec }: PodObject): boolean {
  return spec.containers.some(({ securityContext }) => {
    const { add } = securityContext?.capabilities ?? {};
    return (
      securityContext?.privileged === true || (Array.isArray(add) && add.includes('NET_ADMIN'))
    );
  });
}
