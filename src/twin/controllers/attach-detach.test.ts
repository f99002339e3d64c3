/** Attachments follow pods, one node at a time. */
import { describe, expect, it } from 'vitest';
import { kubeletWorld, type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';
import { WITH_FLANNEL } from '../../../test/support/workloads.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import { startControllers } from './start-controllers.ts';

/** A cluster whose attacher answers after a second, while it answers. */
function cluster(): KubeletWorld & { attacher: { answers: boolean } } {
  const world = Object.assign(
    kubeletWorld({ nodes: ['a', 'b'].map((name) => ({ name, files: WITH_FLANNEL })) }),
    { attacher: { answers: true } },
  );
  world.store.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { volumeName: 'pv' },
  });
  world.store.create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: {
      csi: { driver: 'driver.longhorn.io', volumeHandle: 'pv' },
      accessModes: ['ReadWriteOnce'],
    },
  });
  world.store.watch('VolumeAttachment', ({ type, object }) => {
    if (type !== 'added' || !world.attacher.answers) return;
    world.kernel.after(1_000, () => {
      world.store.update('VolumeAttachment', undefined, object.metadata.name, (old) => ({
        ...old,
        status: { attached: true },
      }));
    });
  });
  startControllers(world);
  world.run(1);
  return world;
}

function withVolume(world: KubeletWorld, name: string, node: string): void {
  podOn(world, name, node, {
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  });
}

function attachedTo(world: KubeletWorld): string[] {
  return world.store.list('VolumeAttachment').map(({ spec }) => spec.nodeName);
}

function isReady(world: KubeletWorld, name: string): boolean {
  const pod = world.store.get('Pod', 'default', name);
  return pod !== undefined && isPodReady(pod);
}

function messages(world: KubeletWorld, name: string): string[] {
  return eventRecorderOf(world)
    .of({ kind: 'Pod', namespace: 'default', name })
    .filter(({ reason }) => reason === 'FailedAttachVolume')
    .map(({ message }) => message);
}

describe('attach and detach', () => {
  it('attaches for a pod and lets go after it', () => {
    const world = cluster();
    withVolume(world, 'p', 'a');
    world.run(10);
    expect([attachedTo(world), isReady(world, 'p')]).toEqual([['a'], true]);
    world.store.delete('Pod', 'default', 'p');
    world.run(20);
    expect(attachedTo(world)).toEqual([]);
  });

  it('keeps the attachment for a pod that follows on the same node', () => {
    const world = cluster();
    let deleted = 0;
    world.store.watch('VolumeAttachment', ({ type }) => {
      if (type === 'deleted') deleted += 1;
    });
    withVolume(world, 'p', 'a');
    world.run(10);
    world.store.delete('Pod', 'default', 'p');
    withVolume(world, 'q', 'a');
    world.run(20);
    expect([isReady(world, 'q'), deleted]).toEqual([true, 0]);
  });

  it('makes a pod elsewhere wait until the first node has let go', () => {
    const world = cluster();
    withVolume(world, 'p', 'a');
    world.run(10);
    withVolume(world, 'q', 'b');
    world.run(10);
    expect(messages(world, 'q')).toEqual([
      'Multi-Attach error for volume "pv" Volume is already used by pod(s) p',
    ]);
    expect(attachedTo(world)).toEqual(['a']);
    world.store.delete('Pod', 'default', 'p');
    world.run(40);
    expect([attachedTo(world), isReady(world, 'q')]).toEqual([['b'], true]);
  });

  it('takes a volume from a silent node only after six minutes', () => {
    const world = cluster();
    withVolume(world, 'p', 'a');
    world.run(10);
    world.powerOff('a');
    world.run(60);
    world.store.delete('Pod', 'default', 'p', 0);
    withVolume(world, 'q', 'b');
    world.run(350);
    expect(attachedTo(world)).toEqual(['a']);
    world.run(30);
    expect(attachedTo(world)).toEqual(['b']);
  });

  it('says after two minutes that nobody attaches', () => {
    const world = cluster();
    world.attacher.answers = false;
    withVolume(world, 'p', 'a');
    world.run(125);
    expect(messages(world, 'p')).toEqual([
      'AttachVolume.Attach failed for volume "pv" : timed out waiting for external-attacher of driver.longhorn.io CSI driver to attach volume pv',
    ]);
    const failures = world.kernel.occurrences.filter(({ kind }) => kind === 'volume.attach-failed');
    expect(failures).toHaveLength(1);
  });

  it('passes on what the driver says', () => {
    const world = cluster();
    world.attacher.answers = false;
    withVolume(world, 'p', 'a');
    world.run(1);
    const [attachment] = world.store.list('VolumeAttachment');
    world.store.update('VolumeAttachment', undefined, attachment?.metadata.name ?? '', (old) => ({
      ...old,
      status: {
        attached: false,
        attachError: { message: 'rpc error: code = DeadlineExceeded desc = x' },
      },
    }));
    world.run(1);
    expect(messages(world, 'p')).toEqual([
      'AttachVolume.Attach failed for volume "pv" : rpc error: code = DeadlineExceeded desc = x',
    ]);
  });
});
