/** Attachments of single pods, by node: one listener on the fabric for all agents. */
import type { TwinFabric } from '../network/fabric.ts';

export class AttachmentWatch {
  private readonly byNode = new Map<string, Set<(podUid: string) => void>>();

  constructor(fabric: TwinFabric) {
    fabric.onPathChange((node, podUid) => {
      if (podUid === undefined) return;
      for (const listener of this.byNode.get(node) ?? []) listener(podUid);
    });
  }

  /** Called with the pod's UID after it was attached or detached; returns the way out. */
  follow(node: string, listener: (podUid: string) => void): () => void {
    let listeners = this.byNode.get(node);
    if (listeners === undefined) this.byNode.set(node, (listeners = new Set()));
    listeners.add(listener);
    return () => listeners.delete(listener);
  }
}

const watches = new WeakMap<TwinFabric, AttachmentWatch>();

export function podWatchOf(fabric: TwinFabric): AttachmentWatch {
  let watch = watches.get(fabric);
  if (watch === undefined) watches.set(fabric, (watch = new AttachmentWatch(fabric)));
  return watch;
}
