/** What K3s's nodes say of the network that their processes run: of the first server that says it. */
import type { Source } from '../../base/source.ts';
import {
  type K3sArguments,
  k3sArguments,
  type K3sNetwork,
  k3sNetwork,
} from '../../knowledge/k3s.ts';
import type { NodeFacts } from '../../model/facts.ts';

export interface K3sServer {
  readonly args: K3sArguments;
  readonly network: K3sNetwork;
  readonly source: Source;
}

/** Agents are told by servers and say nothing of it themselves. */
export function k3sServer(nodes: readonly NodeFacts[]): K3sServer | undefined {
  for (const { object, source } of nodes) {
    const args = k3sArguments(object);
    if (args?.role !== 'server') continue;
    return {
      args,
      network: k3sNetwork(args),
      source: { ...source, path: 'metadata.annotations["k3s.io/node-args"]' },
    };
  }
  return undefined;
}
