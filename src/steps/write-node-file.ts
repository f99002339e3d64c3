/** A file on nodes that a service of their system reads when it starts; what was written is read back. */
import { fails, HOLDS, type StepModule } from './step-module.ts';
import { inParallel, NODES_AT_A_TIME } from './waiting.ts';

/** Such a file may name tokens one day; who starts the service reads it whatever its mode. */
const MODE = 0o600;

export const writeNodeFile: StepModule<'write-node-file'> = {
  async observe({ ports }, { nodes, path, content }) {
    for (const node of nodes) {
      if (((await ports.nodeHost.read(node, path)) ?? null) !== content) return 'todo';
    }
    return 'done';
  },

  async act({ ports }, { nodes, path, content }) {
    await inParallel(nodes, NODES_AT_A_TIME, async (node) => {
      if (content === null) await ports.nodeHost.remove(node, path);
      else await ports.nodeHost.write(node, path, content, MODE);
    });
  },

  async verify({ ports }, { nodes, path, content }) {
    for (const node of nodes) {
      if (((await ports.nodeHost.read(node, path)) ?? null) !== content)
        return fails(`${node}:${path} is not as it was written`);
    }
    return HOLDS;
  },

  undo: ({ nodes, path }) => ({ kind: 'write-node-file', nodes, path, content: null }),
};
