/**
 * The attach/detach controller (KK pkg/controller/volume/attachdetach): a VolumeAttachment for each
 * volume a bound pod needs on its node, given up when no pod there needs it. A volume that only one
 * node may have waits until the other has let go; a node that does not answer is given six minutes.
 */
import { contentHash } from '../../base/canonical-json.ts';
import type { PodObject, VolumeAttachmentObject } from '../../model/kubernetes.ts';
import { attachableVolumes, type Attachments, attachmentsOf } from '../kubelet/attachments.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { readyCondition } from '../kubelet/node-condition.ts';
import { beatAfter, phaseOf } from '../kubelet/rhythm.ts';
import type { OccurrenceKind } from '../../model/occurrence-kind.ts';
import type { Change } from '../store/object-store.ts';
import { POD_PART } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { splitKey } from './work-queue.ts';

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

interface Use {
  readonly volume: string;
  readonly node: string;
  /** Keys of the pods that need it there. */
  readonly pods: Set<string>;
  lastError: string;
}

export class AttachDetachController {
  private readonly world: World;
  private readonly attachments: Attachments;
  private readonly uses = new Map<string, Use>();
  /** Uses that wait for another node to let go, by volume. */
  private readonly blocked = new Map<string, Set<Use>>();

  constructor(world: World) {
    this.world = world;
    this.attachments = attachmentsOf(world.store);
    for (const pod of world.store.list('Pod')) this.see(pod);
    world.store.watchPods({ parts: POD_PART.node | POD_PART.phase }, ({ type, object, old }) => {
      if (object.spec.volumes === undefined || object.spec.nodeName === undefined) return;
      if (type === 'deleted' || isThrough(object)) this.leave(object);
      else if (old?.spec.nodeName !== object.spec.nodeName) this.see(object);
    });
    world.store.watch('VolumeAttachment', (change) => this.attachmentChanged(change));
  }

  private see(pod: PodObject): void {
    const { nodeName } = pod.spec;
    if (nodeName === undefined || pod.spec.volumes === undefined || isThrough(pod)) return;
    for (const { persistentVolume } of attachableVolumes(this.world.store, pod)) {
      const use = this.useOf(persistentVolume, nodeName);
      use.pods.add(keyOf(pod));
      this.attach(use, pod);
    }
  }

  private leave(pod: PodObject): void {
    for (const { persistentVolume } of attachableVolumes(this.world.store, pod)) {
      const use = this.uses.get(`${persistentVolume}|${pod.spec.nodeName ?? ''}`);
      if (use?.pods.delete(keyOf(pod)) !== true || use.pods.size > 0) continue;
      this.detachLater(use, this.world.kernel.now());
    }
  }

  // ------------------------------------------------------------ attach

  private attach(use: Use, pod: PodObject): void {
    const others = this.attachments.of(use.volume);
    if (others.some(({ spec }) => spec.nodeName === use.node)) return;
    const exclusive = !this.isShared(use.volume);
    if (exclusive && others.length > 0) {
      this.block(use, pod);
      return;
    }
    this.whenApiAnswers(() => this.create(use));
  }

  private create(use: Use): void {
    const { store, kernel, constants } = this.world;
    const csi = store.get('PersistentVolume', undefined, use.volume)?.spec.csi;
    if (csi === undefined || use.pods.size === 0) return;
    const name = `csi-${contentHash(`${csi.volumeHandle}${csi.driver}${use.node}`).slice('sha256:'.length)}`;
    if (store.get('VolumeAttachment', undefined, name) !== undefined) return;
    const attachment: VolumeAttachmentObject = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name },
      spec: {
        attacher: csi.driver,
        nodeName: use.node,
        source: { persistentVolumeName: use.volume },
      },
      status: { attached: false },
    };
    store.create(attachment);
    kernel.after(constants.attachWaitMs, () => {
      const found = store.get('VolumeAttachment', undefined, name);
      if (found === undefined || found.status?.attached === true) return;
      if (found.status?.attachError !== undefined) return;
      const text = `timed out waiting for external-attacher of ${csi.driver} CSI driver to attach volume ${csi.volumeHandle}`;
      this.failed(use, found, text);
    });
  }

  private block(use: Use, pod: PodObject): void {
    const waiting = this.blocked.get(use.volume) ?? new Set();
    if (waiting.has(use)) return;
    this.blocked.set(use.volume, waiting.add(use));
    const users = [...this.uses.values()]
      .filter((other) => other.volume === use.volume && other !== use)
      .flatMap(({ pods }) => [...pods].map((key) => splitKey(key).name));
    const why =
      users.length > 0
        ? `Volume is already used by pod(s) ${users.join(', ')}`
        : "Volume is already exclusively attached to one node and can't be attached to another";
    const text = `Multi-Attach error for volume "${use.volume}" ${why}`;
    this.event(keyOf(pod), text);
    const [holder] = this.attachments.of(use.volume);
    this.occur('volume.multi-attach', use, text, holder);
  }

  private attachmentChanged({ type, object }: Change<VolumeAttachmentObject>): void {
    const volume = object.spec.source.persistentVolumeName;
    if (volume === undefined) return;
    if (type === 'deleted') {
      const waiting = this.blocked.get(volume);
      this.blocked.delete(volume);
      for (const use of waiting ?? []) this.again(use);
      return;
    }
    const use = this.uses.get(`${volume}|${object.spec.nodeName}`);
    const message = object.status?.attachError?.message;
    if (use !== undefined && message !== undefined) this.failed(use, object, message);
  }

  private again(use: Use): void {
    const [key] = use.pods;
    if (key === undefined) return;
    const { namespace, name } = splitKey(key);
    const pod = this.world.store.get('Pod', namespace, name);
    if (pod !== undefined) this.attach(use, pod);
  }

  private failed(use: Use, attachment: VolumeAttachmentObject, message: string): void {
    const text = `AttachVolume.Attach failed for volume "${use.volume}" : ${message}`;
    for (const key of use.pods) this.event(key, text);
    if (use.lastError === text) return;
    use.lastError = text;
    this.occur('volume.attach-failed', use, text, attachment);
  }

  // ------------------------------------------------------------ detach

  /** Once the node's status no longer says that the volume is in use. */
  private detachLater(use: Use, unusedSince: number): void {
    const { kernel, constants } = this.world;
    const phase = phaseOf(`${use.node}/status`, constants.nodeStatusPeriodMs);
    const at = beatAfter(kernel.now(), phase, constants.nodeStatusPeriodMs);
    kernel.after(at - kernel.now(), () => {
      if (use.pods.size > 0) return;
      if (this.nodeLetsGo(use.node)) this.whenApiAnswers(() => this.detach(use));
      else this.forceLater(use, unusedSince);
    });
  }

  private forceLater(use: Use, unusedSince: number): void {
    const { kernel, constants } = this.world;
    const wait = Math.max(0, unusedSince + constants.forceDetachMs - kernel.now());
    kernel.after(wait, () => {
      if (use.pods.size === 0) this.whenApiAnswers(() => this.detach(use));
    });
  }

  private nodeLetsGo(name: string): boolean {
    const node = this.world.store.get('Node', undefined, name);
    if (node === undefined) return true;
    if (node.spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true) return true;
    // A kubelet that reports, even as not ready, has told that the volume is unmounted.
    return readyCondition(node)?.status !== 'Unknown';
  }

  private detach(use: Use): void {
    if (use.pods.size > 0) return;
    for (const { spec, metadata } of this.attachments.of(use.volume)) {
      if (spec.nodeName === use.node) {
        this.world.store.delete('VolumeAttachment', undefined, metadata.name);
      }
    }
    this.uses.delete(`${use.volume}|${use.node}`);
  }

  // ------------------------------------------------------------ helpers

  private useOf(volume: string, node: string): Use {
    const key = `${volume}|${node}`;
    let use = this.uses.get(key);
    if (use === undefined)
      this.uses.set(key, (use = { volume, node, pods: new Set(), lastError: '' }));
    return use;
  }

  private isShared(volume: string): boolean {
    const modes =
      this.world.store.get('PersistentVolume', undefined, volume)?.spec.accessModes ?? [];
    return modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany');
  }

  private whenApiAnswers(action: () => void): void {
    const { api } = this.world;
    if (api.healthy() || api.whenHealthy === undefined) action();
    else api.whenHealthy(action);
  }

  private occur(
    kind: OccurrenceKind,
    use: Use,
    message: string,
    attachment: VolumeAttachmentObject | undefined,
  ): void {
    const { kernel, store } = this.world;
    const because = attachment === undefined ? [] : store.causesOf(attachment);
    const subject = { kind: 'PersistentVolume', name: use.volume };
    kernel.because(kernel.causes, () =>
      kernel.occur(kind, { node: use.node, subject, message, because }),
    );
  }

  private event(podKey: string, message: string): void {
    eventRecorderOf(this.world).record({
      subject: { kind: 'Pod', ...splitKey(podKey) },
      component: 'attachdetach-controller',
      type: 'Warning',
      reason: 'FailedAttachVolume',
      message,
    });
  }
}

function keyOf(pod: PodObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`;
}

function isThrough(pod: PodObject): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}
