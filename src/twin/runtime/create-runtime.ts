/** Makes the container runtime of a node. */
import { Containerd } from './containerd.ts';
import { Crio } from './crio.ts';
import type { NodeRuntime, RuntimeOptions } from './node-runtime.ts';

/**
 * Starts at once: reads its conf directory and watches it. What is written before the clock starts
 * is taken as having been there always.
 */
export function createRuntime(options: RuntimeOptions): NodeRuntime {
  return options.kind === 'containerd' ? new Containerd(options) : new Crio(options);
}
