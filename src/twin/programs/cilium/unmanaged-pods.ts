/**
 * The operator's watcher of pods that Cilium does not carry: every interval it deletes one pod that
 * the selector names, is old enough and has no CiliumEndpoint (C@v1.16.5:operator/cmd/
 * k8s_pod_controller.go; cilium-and-flannel.md 7). It sleeps while there is none.
 */
import type { PodObject } from '../../../model/kubernetes.ts';
import type { OccurrenceId } from '../../../model/occurrence.ts';
import type { World } from '../../world.ts';
import { hubOf } from '../hub.ts';
import type { Life } from '../life.ts';
import type { AgentConfig } from './agent-config.ts';
import { hasEndpoint } from './endpoints.ts';

const DEFAULT_SELECTOR = 'k8s-app=kube-dns';

export function watchUnmanagedPods(
  world: World,
  life: Life,
  config: AgentConfig,
  reasons: readonly OccurrenceId[],
): void {
  const interval = intervalMs(config['unmanaged-pod-watcher-interval'] ?? '15');
  if (interval === 0) return;
  const selector = config['pod-restart-selector'] ?? DEFAULT_SELECTOR;
  new UnmanagedPods({ world, life, interval, selector, reasons }).start();
}

interface Watcher {
  readonly world: World;
  readonly life: Life;
  readonly interval: number;
  readonly selector: string;
  /** Why it watches at all: who wrote the configuration. */
  readonly reasons: readonly OccurrenceId[];
}

class UnmanagedPods {
  private readonly reasons: readonly OccurrenceId[];
  private readonly world: World;
  private readonly life: Life;
  private readonly interval: number;
  private readonly selector: string;
  private readonly restartedAt = new Map<string, number>();
  private readonly candidates = new Map<
    string,
    { readonly namespace: string; readonly name: string; readonly seenAt: number }
  >();
  private ticking = false;

  constructor({ world, life, interval, selector, reasons }: Watcher) {
    this.reasons = reasons;
    this.world = world;
    this.life = life;
    this.interval = interval;
    this.selector = selector;
  }

  start(): void {
    for (const pod of this.world.store.list('Pod')) this.see(pod);
    const hub = hubOf(this.world);
    const topic = this.selector.startsWith('k8s-app=')
      ? { label: `k8s-app=${this.selector.slice('k8s-app='.length)}` as const }
      : 'all';
    this.life.onEnd(
      hub.follow('Pod', topic, ({ type, object }) => {
        if (type === 'deleted') this.candidates.delete(object.metadata.uid ?? '');
        else this.see(object);
      }),
    );
  }

  private see(pod: PodObject): void {
    const { uid = '', namespace = '', name } = pod.metadata;
    if (this.candidates.has(uid) || !this.concerns(pod)) return;
    this.candidates.set(uid, { namespace, name, seenAt: this.startedAt(pod) });
    this.tick();
  }

  private concerns(pod: PodObject): boolean {
    if (pod.spec.hostNetwork === true || pod.spec.nodeName === undefined) return false;
    if (pod.status.phase !== 'Running' || pod.metadata.deletionTimestamp !== undefined)
      return false;
    if (hasEndpoint(this.world, pod.metadata.namespace ?? '', pod.metadata.name)) return false;
    const [key = '', value] = this.selector.split('=');
    return this.selector === '' || pod.metadata.labels?.[key] === value;
  }

  /** A start later than now was told by another clock: the pod is older than the twin. */
  private startedAt(pod: PodObject): number {
    const { kernel } = this.world;
    const started = Date.parse(pod.status.startTime ?? '') - kernel.epochMs;
    const now = kernel.now();
    if (Number.isNaN(started)) return now;
    return started > now ? -this.world.constants.unmanagedPodMinimumAgeMs : started;
  }

  private tick(): void {
    if (this.ticking || this.candidates.size === 0) return;
    this.ticking = true;
    this.life.after(this.interval, () => {
      this.ticking = false;
      this.restartOne();
      this.tick();
    });
  }

  private restartOne(): void {
    const { constants, kernel, store } = this.world;
    const now = kernel.now();
    for (const [uid, { namespace, name, seenAt }] of this.candidates) {
      const pod = store.get('Pod', namespace, name);
      if (pod?.metadata.uid !== uid || !this.concerns(pod)) {
        this.candidates.delete(uid);
        continue;
      }
      const last = this.restartedAt.get(`${namespace}/${name}`);
      const early = now - seenAt < constants.unmanagedPodMinimumAgeMs;
      if (early || (last !== undefined && now - last < constants.unmanagedPodRestartGapMs))
        continue;
      this.restartedAt.set(`${namespace}/${name}`, now);
      this.candidates.delete(uid);
      kernel.because(this.reasons, () => {
        kernel.occur('cilium-operator.unmanaged-pod-restarted', {
          node: pod.spec.nodeName ?? '',
          subject: { kind: 'Pod', namespace, name },
          message: `Restarting unmanaged pod ${namespace}/${name}: it has no CiliumEndpoint`,
        });
        store.delete('Pod', namespace, name);
      });
      return;
    }
  }
}

/** Seconds up to 1.18, a duration since 1.19. `0` turns it off. */
function intervalMs(text: string): number {
  const match = /^(\d+)(ms|s|m)?$/.exec(text);
  if (match === null) return 0;
  const unit = { ms: 1, s: 1_000, m: 60_000 }[match[2] ?? 's'] ?? 1_000;
  return Number(match[1]) * unit;
}
