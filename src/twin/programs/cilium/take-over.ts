/**
 * What an agent's programs do from now on that the host's stack did before: NodePort, and the way of
 * its pods' packets. It is so because it is configured so, and it is told once as long as it stays.
 */
import type { OccurrenceId } from '../../../model/occurrence.ts';
import type { OccurrenceKind } from '../../../model/occurrence-kind.ts';
import { podReference } from '../../kubelet/kubelet-context.ts';
import { type CiliumState, networkOf } from '../../network/kernel-network.ts';
import type { ProcessHost } from '../../world.ts';
import { hasKubeProxy } from '../removals.ts';
import { configReasons } from './agent-config.ts';

type TakenOver = CiliumState['takenOver'];

const NOTHING: readonly OccurrenceId[] = [];

export function takeOver(
  host: ProcessHost,
  state: Pick<CiliumState, 'kubeProxyReplacement' | 'hostRouting'>,
): TakenOver {
  return {
    services: servicesOf(host, state),
    ...routingOf(host, state),
  };
}

function servicesOf(
  host: ProcessHost,
  { kubeProxyReplacement }: Pick<CiliumState, 'kubeProxyReplacement'>,
): readonly OccurrenceId[] {
  if (!kubeProxyReplacement) return NOTHING;
  const before = networkOf(host.node).cilium;
  if (before?.kubeProxyReplacement === true) return before.takenOver.services;
  const because = configReasons(host);
  // Where no kube-proxy is, nothing is taken from it.
  if (!hasKubeProxy(host.world, host.node)) return because;
  const what = 'kube-proxy replacement is on: BPF programs take NodePort packets first';
  return tell(host, 'cilium-agent.services-taken-over', what, because);
}

function routingOf(
  host: ProcessHost,
  { hostRouting }: Pick<CiliumState, 'hostRouting'>,
): Pick<TakenOver, 'routing' | 'oldNetwork'> {
  if (hostRouting !== 'bpf') return { routing: NOTHING, oldNetwork: NOTHING };
  const before = networkOf(host.node).cilium;
  if (before?.hostRouting !== 'bpf') return bypass(host);
  const { routing, oldNetwork } = before.takenOver;
  return { routing, oldNetwork };
}

function bypass(host: ProcessHost): Pick<TakenOver, 'routing' | 'oldNetwork'> {
  const routing = tell(
    host,
    'cilium-agent.host-routing-bypassed',
    'BPF host routing is on: packets of its pods pass the routes and rules of the host by',
    configReasons(host),
  );
  const { flannel } = networkOf(host.node);
  if (flannel === undefined) return { routing, oldNetwork: NOTHING };
  const what = `packets of its pods do not find the routes to ${flannel.network}, which are the host's`;
  return { routing, oldNetwork: tell(host, 'cilium-agent.old-network-bypassed', what, routing) };
}

function tell(
  host: ProcessHost,
  kind: OccurrenceKind,
  what: string,
  because: readonly OccurrenceId[],
): readonly OccurrenceId[] {
  // An agent that was there before the twin has changed nothing.
  if (host.adopted === true) return NOTHING;
  const { kernel } = host.world;
  const node = host.node.name;
  return [
    kernel.because(because, () =>
      kernel.occur(kind, { node, subject: podReference(host.pod), message: `${node}: ${what}` }),
    ),
  ];
}
