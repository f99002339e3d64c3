/** What the commands of a runbook share: ports, who is who among the nodes, and patience. */
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Ports } from '../../ports/index.ts';

/** How long a person looks at a command that does not come back before ending it (seconds). */
export const PATIENCE_SECONDS = 1_800;

export interface CommandContext {
  readonly ports: Ports;
  readonly nodes: NodeNames;
}

export interface NodeNames {
  /** By name or address; an error names what there is. */
  named(nameOrAddress: string): string;
  /** Names, addresses, `all`, `control-planes`, `workers`. */
  selected(selectors: readonly string[]): readonly string[];
}

export async function readNodeNames(ports: Ports): Promise<NodeNames> {
  const nodes = await ports.kubernetes.list<NodeObject>('v1', 'Node');
  const byWord = new Map<string, string>();
  for (const { metadata, status } of nodes) {
    byWord.set(metadata.name, metadata.name);
    for (const { address } of status.addresses ?? []) byWord.set(address, metadata.name);
  }
  const named = (word: string): string => {
    const name = byWord.get(word);
    if (name === undefined)
      throw new RegaugeError('not-found', `no node has the name or address ${word}`);
    return name;
  };
  const role = (wanted: boolean): readonly string[] =>
    nodes.filter((node) => isControlPlane(node) === wanted).map(({ metadata }) => metadata.name);
  const group = (word: string): readonly string[] => {
    if (word === 'all') return nodes.map(({ metadata }) => metadata.name);
    if (word === 'control-planes') return role(true);
    return word === 'workers' ? role(false) : [named(word)];
  };
  return { named, selected: (words) => [...new Set(words.flatMap(group))] };
}

function isControlPlane({ metadata }: NodeObject): boolean {
  return metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined;
}
