/**
 * Removes what the old CNI and kube-proxy leave on nodes: conf files, state, links, rules. Never a
 * directory itself: a runtime that watched it would stop watching (FM-48, containerd#11209).
 */
import type { Ports } from '../ports/index.ts';
import { type ActionOf, fails, HOLDS, type StepModule } from './step-module.ts';
import { inParallel, NODES_AT_A_TIME } from './waiting.ts';

/** host-local's own notes: they hold no address, and it makes them anew whenever it runs. */
const LEASE_NOTES = /^(lock|last_reserved_ip\..*)$/;

type Change = ActionOf<'change-node-files'>;

export const changeNodeFiles: StepModule<'change-node-files'> = {
  async observe({ ports }, action) {
    // Whether rules are left in the kernel cannot be read through the port; cleaning is idempotent.
    if (action.cleanKubeProxyRules) return 'todo';
    return (await firstLeft(ports, action)) === undefined ? 'done' : 'todo';
  },

  async act({ ports }, action) {
    const { nodeHost } = ports;
    await inParallel(action.nodes, NODES_AT_A_TIME, async (node) => {
      await removeEach(ports, node, await present(ports, node, action.remove));
      const links = action.links.length === 0 ? [] : await nodeHost.links(node);
      for (const link of links.filter((name) => action.links.includes(name)))
        await nodeHost.removeLink(node, link);
      if (action.cleanKubeProxyRules) await nodeHost.cleanKubeProxyRules(node);
    });
  },

  async verify({ ports }, action) {
    const left = await firstLeft(ports, action);
    return left === undefined ? HOLDS : fails(`there still: ${left}`);
  },

  undo: () => null,
};

/** A node may have given out hundreds of addresses: a call for each would take its time. */
async function removeEach(
  { nodeHost }: Ports,
  node: string,
  paths: readonly string[],
): Promise<void> {
  if (paths.length > 1 && nodeHost.removeAll !== undefined) return nodeHost.removeAll(node, paths);
  for (const path of paths) await nodeHost.remove(node, path);
}

/** Paths that exist; `…/*` stands for every entry of a directory. */
async function present(
  { nodeHost }: Ports,
  node: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  const byDirectory = new Map<string, string[]>();
  for (const path of paths) {
    const cut = path.lastIndexOf('/');
    const directory = path.slice(0, cut);
    byDirectory.set(directory, [...(byDirectory.get(directory) ?? []), path.slice(cut + 1)]);
  }
  const found: string[] = [];
  for (const [directory, names] of byDirectory) {
    const entries = (await nodeHost.list(node, directory)) ?? [];
    const wanted = names.includes('*') ? entries : entries.filter((entry) => names.includes(entry));
    found.push(...wanted.map((entry) => `${directory}/${entry}`));
  }
  return found;
}

async function firstLeft(ports: Ports, action: Change): Promise<string | undefined> {
  for (const node of action.nodes) {
    const paths = await present(ports, node, action.remove);
    const path = paths.find((each) => !LEASE_NOTES.test(each.slice(each.lastIndexOf('/') + 1)));
    if (path !== undefined) return `${node}:${path}`;
    if (action.links.length === 0) continue;
    const link = (await ports.nodeHost.links(node)).find((name) => action.links.includes(name));
    if (link !== undefined) return `${node}: link ${link}`;
  }
  return undefined;
}
