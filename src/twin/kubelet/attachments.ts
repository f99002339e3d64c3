/** VolumeAttachments by volume, and what a pod's volumes still wait for on a node. */
import type { PodObject, VolumeAttachmentObject } from '../../model/kubernetes.ts';
import type { ObjectStore } from '../store/object-store.ts';

export interface PendingVolume {
  /** The volume's name in the pod. */
  readonly volume: string;
  readonly persistentVolume: string;
  readonly attachment: VolumeAttachmentObject | undefined;
}

export class Attachments {
  private readonly names = new Map<string, Set<string>>();
  private readonly store: ObjectStore;

  constructor(store: ObjectStore) {
    this.store = store;
    for (const attachment of store.list('VolumeAttachment')) this.add(attachment);
    store.watch('VolumeAttachment', ({ type, object }) => {
      if (type === 'deleted') this.drop(object);
      else this.add(object);
    });
  }

  /** Of a volume, wherever it is attached or wanted. */
  of(persistentVolume: string): VolumeAttachmentObject[] {
    const found: VolumeAttachmentObject[] = [];
    for (const name of this.names.get(persistentVolume) ?? []) {
      const attachment = this.store.get('VolumeAttachment', undefined, name);
      if (attachment !== undefined) found.push(attachment);
    }
    return found;
  }

  /** Volumes of the pod that need an attachment to the node and have none that holds. */
  pendingOf(pod: PodObject, node: string): PendingVolume[] {
    const pending: PendingVolume[] = [];
    for (const { volume, persistentVolume } of attachableVolumes(this.store, pod)) {
      const attachment = this.of(persistentVolume).find(({ spec }) => spec.nodeName === node);
      const holds =
        attachment?.status?.attached === true &&
        attachment.metadata.deletionTimestamp === undefined;
      if (!holds) pending.push({ volume, persistentVolume, attachment });
    }
    return pending;
  }

  private add(attachment: VolumeAttachmentObject): void {
    const volume = attachment.spec.source.persistentVolumeName;
    if (volume === undefined) return;
    let names = this.names.get(volume);
    if (names === undefined) this.names.set(volume, (names = new Set()));
    names.add(attachment.metadata.name);
  }

  private drop(attachment: VolumeAttachmentObject): void {
    const volume = attachment.spec.source.persistentVolumeName;
    if (volume !== undefined) this.names.get(volume)?.delete(attachment.metadata.name);
  }
}

/** The pod's volumes that a CSI driver has to attach, with the claim's bound volume. */
export function attachableVolumes(
  store: ObjectStore,
  pod: PodObject,
): { readonly volume: string; readonly persistentVolume: string }[] {
  return (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim }) => {
    if (persistentVolumeClaim === undefined) return [];
    const claim = store.get(
      'PersistentVolumeClaim',
      pod.metadata.namespace,
      persistentVolumeClaim.claimName,
    );
    const persistentVolume = claim?.spec.volumeName;
    if (persistentVolume === undefined) return [];
    const volume = store.get('PersistentVolume', undefined, persistentVolume);
    return volume?.spec.csi === undefined ? [] : [{ volume: name, persistentVolume }];
  });
}

const indices = new WeakMap<ObjectStore, Attachments>();

export function attachmentsOf(store: ObjectStore): Attachments {
  let found = indices.get(store);
  if (found === undefined) indices.set(store, (found = new Attachments(store)));
  return found;
}
