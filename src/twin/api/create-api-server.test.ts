/** Does the API server answer, and what do webhooks that cannot be reached do to writes. */
import { describe, expect, it } from 'vitest';
import type { PodObject, WebhookConfigurationObject } from '../../model/kubernetes.ts';
import { MIRROR_ANNOTATION } from '../kubelet/kubelet-context.ts';
import { kubeletWorld, type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';

function controlPlanes(count: number): KubeletWorld {
  const names = Array.from({ length: count }, (_, index) => `cp-${index}`);
  const world = kubeletWorld({
    nodes: [...names.map((name) => ({ name, role: 'control-plane' as const })), { name: 'w' }],
  });
  for (const name of names) {
    world.store.create<PodObject>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `kube-apiserver-${name}`,
        namespace: 'kube-system',
        annotations: { [MIRROR_ANNOTATION]: 'x' },
      },
      spec: {
        nodeName: name,
        hostNetwork: true,
        containers: [{ name: 'kube-apiserver', image: 'pause' }],
      },
      status: { phase: 'Pending' },
    });
  }
  world.run(5);
  return world;
}

describe('health', () => {
  it('is etcd quorum of the machines: one of three may be down, two may not', () => {
    const world = controlPlanes(3);
    expect(world.api.healthy()).toBe(true);
    world.powerOff('cp-0');
    expect(world.api.healthy()).toBe(true);
    world.powerOff('cp-1');
    expect(world.api.healthy()).toBe(false);
    expect(world.api.check({ kind: 'certificate', user: 'kubelet' })).toMatchObject({
      failure: 'unreachable',
    });
    world.powerOn('cp-0');
    expect(world.api.healthy()).toBe(true);
  });

  it('comes back with the static pod of a single control plane, and wakes who waited', () => {
    const world = controlPlanes(1);
    world.powerOff('cp-0');
    let woken = false;
    world.api.whenHealthy?.(() => (woken = true));
    world.run(60);
    world.powerOn('cp-0');
    expect(world.api.healthy()).toBe(false);
    world.run(10);
    expect([world.api.healthy(), woken]).toEqual([true, true]);
  });

  it('holds back what a kubelet has to say, and starts no ordinary pod meanwhile', () => {
    const world = controlPlanes(1);
    podOn(world, 'p', 'w', { hostNetwork: true });
    world.powerOff('cp-0');
    world.run(60);
    expect(world.store.get('Pod', 'default', 'p')?.status.phase).toBe('Pending');
    world.powerOn('cp-0');
    world.run(20);
    expect(world.store.get('Pod', 'default', 'p')?.status.phase).toBe('Running');
  });
});

function withWebhook(
  world: KubeletWorld,
  webhook: Partial<NonNullable<WebhookConfigurationObject['webhooks']>[number]>,
): void {
  world.store.create<WebhookConfigurationObject>({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'validator.longhorn.io',
        clientConfig: {
          service: { namespace: 'longhorn-system', name: 'longhorn-admission-webhook', port: 9502 },
        },
        rules: [{ operations: ['CREATE'], resources: ['pods'] }],
        ...webhook,
      },
    ],
  });
  world.run(1);
}

function broken(): KubeletWorld {
  const world = controlPlanes(1);
  world.paths.verdict = (_from, to) =>
    to.kind === 'service'
      ? { ok: false, sourceSeen: null, message: 'packet lost', because: [] }
      : { ok: true, sourceSeen: null, message: '', because: [] };
  return world;
}

describe('admission webhooks', () => {
  it('that are not reached refuse the writes they are about, and only those', () => {
    const world = broken();
    withWebhook(world, {});
    const refused = world.api.admit('CREATE', 'Pod', 'default');
    expect(refused).toMatchObject({ ok: false, delayMs: 10_000 });
    expect(refused.ok ? '' : refused.message).toBe(
      'Internal error occurred: failed calling webhook "validator.longhorn.io": failed to call webhook: ' +
        'Post "https://longhorn-admission-webhook.longhorn-system.svc:9502/?timeout=10s": context deadline exceeded',
    );
    expect(world.api.admit('UPDATE', 'Pod', 'default').ok).toBe(true);
    expect(world.api.admit('CREATE', 'Node', undefined).ok).toBe(true);
  });

  it('with failurePolicy Ignore let the write through after their timeout', () => {
    const world = broken();
    withWebhook(world, { failurePolicy: 'Ignore', timeoutSeconds: 5 });
    expect(world.api.admit('CREATE', 'Pod', 'default')).toEqual({ ok: true, delayMs: 5_000 });
  });

  it('do not concern namespaces and objects their selectors leave out', () => {
    const world = broken();
    withWebhook(world, {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
      objectSelector: { matchLabels: { inject: 'yes' } },
    });
    expect(world.api.admit('CREATE', 'Pod', 'default', { inject: 'yes' }).ok).toBe(true);
    expect(world.api.admit('CREATE', 'Pod', 'shop', {}).ok).toBe(true);
    expect(world.api.admit('CREATE', 'Pod', 'shop', { inject: 'yes' }).ok).toBe(false);
  });

  it('never concern their own configurations, which is the way out', () => {
    const world = broken();
    withWebhook(world, { rules: [{ operations: ['*'], resources: ['*'] }] });
    expect(world.api.admit('DELETE', 'ValidatingWebhookConfiguration', undefined).ok).toBe(true);
    expect(world.api.admit('UPDATE', 'ConfigMap', 'default').ok).toBe(false);
  });

  it('are told once, however many writes they stop', () => {
    const world = broken();
    withWebhook(world, {});
    for (let count = 0; count < 5; count += 1) world.api.admit('CREATE', 'Pod', 'default');
    const told = world.kernel.occurrences.filter(({ kind }) => kind === 'api.webhook-unreachable');
    expect(told).toHaveLength(1);
  });
});
