/**
 * Takes what the old network left out of the packet filters of its nodes: frozen rules go on to translate and
 * to judge, by addresses that other pods have by then (FM-44). Each node is asked what is there; what bears
 * nobody's mark that is named stays. Whoever writes such rules writes them again when it starts, so there is
 * nothing to take back.
 */
import type { RulesOwner } from '../model/plan.ts';
import type { NodeHostPort } from '../ports/node-host.ts';
import { fails, HOLDS, type StepModule } from './step-module.ts';
import { inParallel, NODES_AT_A_TIME } from './waiting.ts';

export const cleanPacketFilter: StepModule<'clean-packet-filter'> = {
  async observe({ ports }, { nodes, owners, nftTables }) {
    // Whether a table of nft is there takes a pod to see; it is removed as easily.
    if (nftTables.length > 0) return 'todo';
    return (await firstLeft(ports.nodeHost, nodes, owners)) === undefined ? 'done' : 'todo';
  },

  async act({ ports }, { nodes, owners, nftTables }) {
    await inParallel(nodes, NODES_AT_A_TIME, (node) =>
      ports.nodeHost.removeLeftRules(node, { owners, nftTables }),
    );
  },

  async verify({ ports }, { nodes, owners }) {
    const left = await firstLeft(ports.nodeHost, nodes, owners);
    return left === undefined ? HOLDS : fails(`there still: ${left}`);
  },

  undo: () => null,
};

async function firstLeft(
  nodeHost: Pick<NodeHostPort, 'leftRules'>,
  nodes: readonly string[],
  owners: readonly RulesOwner[],
): Promise<string | undefined> {
  let found: string | undefined;
  await inParallel(nodes, NODES_AT_A_TIME, async (node) => {
    if (found !== undefined) return;
    const [first] = await nodeHost.leftRules(node, owners);
    if (first !== undefined) found ??= `${node}: ${first}`;
  });
  return found;
}
