/**
 * csi-attacher: one replica leads and works on VolumeAttachments of Longhorn's driver. The plugin on
 * its own node asks longhorn-backend by name and ClusterIP, the manager starts an engine in the
 * instance manager of the node that wants the volume. What fails comes back as attachError, after the
 * time-outs of each stage, and is tried again with a back-off (failure-domains.md 2.5).
 */
import type { OccurrenceId } from '../../../model/occurrence.ts';
import type { OccurrenceKind } from '../../../model/occurrence-kind.ts';
import {
  objectKey,
  type PodObject,
  type VolumeAttachmentObject,
} from '../../../model/kubernetes.ts';
import type { PathVerdict, Process, ProcessHost } from '../../world.ts';
import { fabricOf } from '../../network/fabric.ts';
import { isReady } from '../../network/service-table.ts';
import { lost } from '../../network/verdict.ts';
import { apiAccess } from '../api-access.ts';
import { hubOf } from '../hub.ts';
import { whenLeading } from '../leadership.ts';
import { Life } from '../life.ts';
import { startWhen } from '../start-when.ts';
import {
  LONGHORN_DRIVER,
  LONGHORN_NAMESPACE,
  runningInstanceManager,
  volumeNamed,
} from './longhorn-objects.ts';
import { volumeHealthOf } from './volume-health.ts';

interface Failure {
  readonly message: string;
  readonly afterMs: number;
  readonly because: readonly number[];
}

export function csiAttacher(host: ProcessHost): Process {
  const { world } = host;
  const life = new Life(world.kernel);
  const serve = (): void => {
    host.setReady(true);
    whenLeading(world, LONGHORN_DRIVER, life, () => new Attacher(host, life).start());
  };
  startWhen(host, life, () => apiAccess(host).ok, serve);
  return life.asProcess();
}

class Attacher {
  private readonly host: ProcessHost;
  private readonly life: Life;
  private readonly working = new Set<string>();
  private readonly told = new Map<string, OccurrenceId>();

  constructor(host: ProcessHost, life: Life) {
    this.host = host;
    this.life = life;
  }

  start(): void {
    const { world } = this.host;
    for (const attachment of world.store.list('VolumeAttachment')) this.take(attachment);
    this.life.onEnd(
      hubOf(world).follow('VolumeAttachment', 'all', ({ type, object }) => {
        if (type === 'deleted') this.detach(object);
        else this.take(object);
      }),
    );
  }

  private take(attachment: VolumeAttachmentObject): void {
    const key = objectKey(attachment);
    if (
      attachment.spec.attacher !== LONGHORN_DRIVER ||
      attachment.metadata.deletionTimestamp !== undefined
    )
      return;
    if (attachment.status?.attached === true || this.working.has(key)) return;
    this.working.add(key);
    this.attempt(attachment, this.host.world.constants.attachRetryFirstMs);
  }

  private attempt(attachment: VolumeAttachmentObject, backOff: number): void {
    const { world } = this.host;
    const name = attachment.metadata.name;
    if (
      world.store.get('VolumeAttachment', undefined, name)?.metadata.uid !== attachment.metadata.uid
    ) {
      this.working.delete(name);
      return;
    }
    const failure = this.failureOf(attachment);
    this.life.after(failure?.afterMs ?? this.host.world.constants.longhornAttachMs, () => {
      if (failure === undefined) this.succeed(attachment);
      else this.fail(attachment, failure, backOff);
    });
  }

  private failureOf(attachment: VolumeAttachmentObject): Failure | undefined {
    const { world } = this.host;
    const backend = this.reachBackend();
    if (!backend.ok) {
      const afterMs = world.constants.csiAttachTimeoutMs;
      const message = 'rpc error: code = DeadlineExceeded desc = context deadline exceeded';
      return {
        message,
        afterMs,
        because: this.tell(
          'longhorn.backend-unreachable',
          `longhorn-csi-plugin cannot reach http://longhorn-backend:9500: ${backend.message}`,
          backend,
        ),
      };
    }
    const { nodeName } = attachment.spec;
    const volume = this.volumeOf(attachment);
    const manager = runningInstanceManager(world, nodeName);
    const health = volumeHealthOf(world);
    const hasCopies = health.replicaNodes(volume).length > 0;
    if (manager !== undefined && (!hasCopies || health.reachableReplicas(volume, nodeName) > 0))
      return undefined;
    const message = `rpc error: code = DeadlineExceeded desc = volume ${volume} failed to attach to node ${nodeName} with attachmentID ${attachment.metadata.name}`;
    const why =
      manager === undefined
        ? `no instance manager runs on ${nodeName}`
        : `no replica of ${volume} is reached from ${nodeName}`;
    return {
      message,
      afterMs: this.host.world.constants.longhornVolumeWaitMs,
      because: this.tell('longhorn.instance-manager-down', why, lost(why), nodeName),
    };
  }

  /** By name first, then by ClusterIP, from the plugin's pod on the attacher's node. */
  private reachBackend(): PathVerdict {
    const { world } = this.host;
    const api = apiAccess(this.host);
    if (!api.ok)
      return lost(`the attacher does not reach the API server: ${api.message}`, api.because);
    const plugin = this.pluginPod();
    if (plugin === undefined)
      return lost(
        'connection to unix:///csi/csi.sock refused: longhorn-csi-plugin does not run here',
      );
    const fabric = fabricOf(world);
    const from = { kind: 'pod', pod: plugin } as const;
    const name = fabric.reach(from, { kind: 'dns', question: 'internal' });
    if (!name.ok) return name;
    return fabric.reach(from, {
      kind: 'service',
      namespace: LONGHORN_NAMESPACE,
      name: 'longhorn-backend',
      port: 9500,
    });
  }

  private pluginPod(): PodObject | undefined {
    const { world, node } = this.host;
    return world.store
      .podsOn(node.name)
      .find((pod) => pod.metadata.labels?.['app'] === 'longhorn-csi-plugin' && isReady(pod));
  }

  private succeed(attachment: VolumeAttachmentObject): void {
    const { name } = attachment.metadata;
    this.working.delete(name);
    this.write(name, { attached: true });
    const volume = this.volumeOf(attachment);
    if (volumeNamed(this.host.world, volume) !== undefined) {
      volumeHealthOf(this.host.world).attached(volume, attachment.spec.nodeName);
    }
  }

  private fail(
    attachment: VolumeAttachmentObject,
    { message, because }: Failure,
    backOff: number,
  ): void {
    const { constants, kernel } = this.host.world;
    kernel.because(because, () => {
      this.write(attachment.metadata.name, { attached: false, attachError: { message } });
      this.life.after(backOff, () =>
        this.attempt(attachment, Math.min(backOff * 2, constants.attachRetryMaxMs)),
      );
    });
  }

  private write(name: string, status: NonNullable<VolumeAttachmentObject['status']>): void {
    this.host.world.store.update('VolumeAttachment', undefined, name, (object) => ({
      ...object,
      status,
    }));
  }

  private detach(attachment: VolumeAttachmentObject): void {
    const { name } = attachment.metadata;
    this.working.delete(name);
    const volume = this.volumeOf(attachment);
    const status = volumeNamed(this.host.world, volume)?.status;
    if (status?.currentNodeID === attachment.spec.nodeName)
      volumeHealthOf(this.host.world).detached(volume);
  }

  private volumeOf(attachment: VolumeAttachmentObject): string {
    const pv = attachment.spec.source.persistentVolumeName ?? '';
    return (
      this.host.world.store.get('PersistentVolume', undefined, pv)?.spec.csi?.volumeHandle ?? pv
    );
  }

  /** The same trouble is told once per attacher and node; every failure names it as its cause. */
  private tell(
    kind: OccurrenceKind,
    message: string,
    verdict: PathVerdict,
    node = this.host.node.name,
  ): readonly number[] {
    const key = `${kind} ${node} ${message}`;
    const known = this.told.get(key);
    if (known !== undefined) return [known];
    const { kernel } = this.host.world;
    const id = kernel.because(kernel.causes, () =>
      kernel.occur(kind, { node, message, because: verdict.because }),
    );
    this.told.set(key, id);
    return [id];
  }
}
