/**
 * Applies a Talos machine config patch to nodes. Every key a CNI migration needs is applied live
 * (v1alpha1_runtime.go@v1.10.5), so the mode is `no-reboot`: a patch that would reboot is refused.
 */
import { configDocuments, isSameDocument } from '../knowledge/talos-config/config-documents.ts';
import { includes } from './objects.ts';
import { fails, HOLDS, type StepModule } from './step-module.ts';
import { inParallel } from './waiting.ts';

/** Control planes apply one after the other; they serve the API that is spoken to. */
const AT_A_TIME = 4;

export const patchMachineConfig: StepModule<'patch-machine-config'> = {
  async observe({ ports }, { nodes, patch }) {
    for (const node of nodes) {
      if (!holdsPatch(await ports.nodeHost.machineConfig(node), patch)) return 'todo';
    }
    return 'done';
  },

  async act({ ports }, { nodes, patch }) {
    await inParallel(nodes, AT_A_TIME, async (node) => {
      if (holdsPatch(await ports.nodeHost.machineConfig(node), patch)) return;
      await ports.nodeHost.patchMachineConfig(node, patch, 'no-reboot');
    });
  },

  async verify({ ports }, { nodes, patch }) {
    for (const node of nodes) {
      if (!holdsPatch(await ports.nodeHost.machineConfig(node), patch))
        return fails(`${node} has not taken the patch`);
    }
    return HOLDS;
  },

  undo: () => null,
};

/** The config is as the patch wants it: every value is there, every document to delete is gone. */
export function holdsPatch(config: string, patch: string): boolean {
  const documents = configDocuments(config);
  return configDocuments(patch).every((wanted) => {
    const present = documents.find((document) => isSameDocument(document, wanted));
    if (wanted['$patch'] === 'delete') return present === undefined;
    return present !== undefined && includes(present, wanted);
  });
}
