/**
 * What a kubelet hears of its own node: a thousand kubelets watching all pods would make every
 * change cost a thousand calls, so one watch per store hands each change to the node it concerns.
 */
import type { PodObject, VolumeAttachmentObject } from '../../model/kubernetes.ts';
import type { Change, ObjectStore } from '../store/object-store.ts';
import { POD_PART } from '../store/pod-changes.ts';
import type { Fabric } from '../world.ts';

export interface NodeFeed {
  pod(change: Change<PodObject>): void;
  attachment(change: Change<VolumeAttachmentObject>): void;
}

const feeds = new WeakMap<ObjectStore, Map<string, NodeFeed>>();
/** `podUid` is given when nothing but that pod's attachment changed. */
export type PathListener = (podUid: string | undefined) => void;

const paths = new WeakMap<Fabric, Map<string, PathListener>>();

/** From now on the feed hears of every pod bound to the node. One feed per node; the last one wins. */
export function subscribe(store: ObjectStore, node: string, feed: NodeFeed): void {
  let byNode = feeds.get(store);
  if (byNode === undefined) feeds.set(store, (byNode = watchAll(store)));
  byNode.set(node, feed);
}

/** From now on the listener hears of changes that can change the fate of a path on the node. */
export function subscribeToPaths(fabric: Fabric, node: string, listener: PathListener): void {
  let byNode = paths.get(fabric);
  if (byNode === undefined) {
    const listeners = new Map<string, PathListener>();
    paths.set(fabric, (byNode = listeners));
    fabric.onChange((changed, podUid, ways) => {
      if (ways === 'all') listeners.get(changed)?.(podUid);
    });
  }
  byNode.set(node, listener);
}

/** What a kubelet itself writes of a pod it has no need to hear. */
const ORDERS = POD_PART.node | POD_PART.deletion | POD_PART.phase;

function watchAll(store: ObjectStore): Map<string, NodeFeed> {
  const byNode = new Map<string, NodeFeed>();
  store.watchPods({ parts: ORDERS }, (change) => {
    const { nodeName } = change.object.spec;
    if (nodeName !== undefined) byNode.get(nodeName)?.pod(change);
  });
  store.watch('VolumeAttachment', (change) => {
    byNode.get(change.object.spec.nodeName)?.attachment(change);
  });
  return byNode;
}
