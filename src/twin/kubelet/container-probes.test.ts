/**
 * Goal: a container is ready when the real prober would have found it so: at once after its startup
 * probe and at each status built, else on the beats of the probe's own worker.
 */
import { describe, expect, it } from 'vitest';
import type { Container, PodObject } from '../../model/kubernetes.ts';
import {
  type KubeletWorld,
  kubeletWorld,
  podOn,
  type WorldOptions,
} from '../../../test/support/kubelet-world.ts';
import type { ProcessHost } from '../world.ts';
import { isPodReady } from './pod-status.ts';

function world(options: Partial<WorldOptions> = {}): KubeletWorld {
  const made = kubeletWorld({ nodes: [{ name: 'n' }], ...options });
  made.run(1);
  return made;
}

/** Containers whose processes serve the given seconds after their start, by name. */
function servingAfter(seconds: Readonly<Record<string, number>>): Partial<WorldOptions> {
  return {
    programFor: () => (host: ProcessHost) => {
      const after = (seconds[host.container.name] ?? 0) * 1000;
      host.world.kernel.after(after, () => host.setReady(true));
      return { stop: () => undefined };
    },
  };
}

function start(twin: KubeletWorld, name: string, containers: readonly Container[]): void {
  podOn(twin, name, 'n', { hostNetwork: true, containers });
}

function ready(twin: KubeletWorld, name = 'p'): boolean {
  const pod = twin.store.get('Pod', 'default', name);
  return pod !== undefined && isPodReady(pod);
}

function secondsUntilReady(twin: KubeletWorld, name = 'p'): number {
  const since = twin.kernel.now();
  while (!ready(twin, name) && twin.kernel.now() - since < 600_000) twin.run(0.1);
  return (twin.kernel.now() - since) / 1000;
}

/** As the Cilium chart has them (charts:cilium/templates/cilium-agent/daemonset.yaml@1.16.5). */
const AGENT: Container = {
  name: 'agent',
  image: 'pause',
  startupProbe: { exec: {}, initialDelaySeconds: 5, periodSeconds: 2, failureThreshold: 105 },
  readinessProbe: { exec: {}, periodSeconds: 30, failureThreshold: 3 },
  livenessProbe: { exec: {}, periodSeconds: 30, failureThreshold: 10 },
};

describe('readiness', () => {
  it('is looked at as soon as the startup probe has succeeded, not a period later', () => {
    const twin = world(servingAfter({ agent: 12 }));
    start(twin, 'p', [AGENT]);
    const seconds = secondsUntilReady(twin);
    expect(seconds).toBeGreaterThan(12);
    expect(seconds).toBeLessThan(16);
  });

  it('is not looked at before the startup probe has succeeded, and that one not before its delay', () => {
    const twin = world(servingAfter({ agent: 0 }));
    start(twin, 'p', [AGENT]);
    twin.run(5);
    expect(ready(twin)).toBe(false);
    expect(secondsUntilReady(twin)).toBeLessThan(3);
  });

  it('is looked at again whenever the status of its pod is built', () => {
    const slow = { name: 'slow', image: 'pause', readinessProbe: { exec: {}, periodSeconds: 600 } };
    const other = { name: 'other', image: 'pause', readinessProbe: { exec: {}, periodSeconds: 4 } };
    const alone = world(servingAfter({ slow: 3 }));
    start(alone, 'p', [slow]);
    alone.run(300);
    expect(ready(alone)).toBe(false);
    const together = world(servingAfter({ slow: 3, other: 5 }));
    start(together, 'p', [slow, other]);
    expect(secondsUntilReady(together)).toBeLessThan(10);
  });

  it('is given up for a container whose startup probe fails as often as it may', () => {
    const twin = world({ programFor: () => () => ({ stop: () => undefined }) });
    start(twin, 'p', [
      { ...AGENT, startupProbe: { exec: {}, periodSeconds: 2, failureThreshold: 5 } },
    ]);
    const killed = (): number | undefined =>
      twin.kernel.occurrences.find(({ kind }) => kind === 'kubelet.container-killed')?.at;
    twin.run(30);
    // The fifth look after the start of the container, a second after the pod came.
    expect(Math.round((killed() ?? 0) / 1000)).toBe(11);
  });
});

describe('soon after the start of a kubelet', () => {
  it('workers sleep a random part of their period before they look', () => {
    const twin = world();
    const names = Array.from({ length: 40 }, (_, index) => `p${index}`);
    const probe = { exec: {}, periodSeconds: 30 };
    for (const name of names) {
      start(twin, name, [{ name: 'c', image: 'pause', readinessProbe: probe }]);
    }
    twin.run(5);
    expect(names.filter((name) => ready(twin, name))).toHaveLength(40);
    twin.powerOff('n');
    twin.run(60);
    twin.powerOn('n');
    const counts = [5, 10, 10, 10].map((seconds) => {
      twin.run(seconds);
      return names.filter((name) => ready(twin, name)).length;
    });
    expect(counts.at(-1)).toBe(40);
    expect(counts[0]).toBeGreaterThan(0);
    for (const [index, count] of counts.slice(1).entries())
      expect(count).toBeGreaterThan(counts[index] ?? 0);
  });

  it.each([
    ['1.34.2', true],
    ['1.35.0', false],
  ])(
    'of Kubernetes %s that restarted, what ran is unready for a while: %s (KEP-4781)',
    (kubernetes, loses) => {
      const twin = world({ kubernetes });
      start(twin, 'probed', [
        { name: 'c', image: 'pause', readinessProbe: { exec: {}, periodSeconds: 10 } },
      ]);
      start(twin, 'plain', [{ name: 'c', image: 'pause' }]);
      start(twin, 'agent', [AGENT]);
      twin.run(20);
      const changes: string[] = [];
      twin.store.watch('Pod', ({ object }: { object: PodObject }) => {
        changes.push(`${object.metadata.name} ${isPodReady(object)}`);
      });
      twin.node('n').kubelet.restart();
      twin.run(40);
      const expected = ['agent false', 'agent true', 'probed false', 'probed true'];
      expect([...new Set(changes)].toSorted()).toEqual(loses ? expected : []);
      const pod = twin.store.get('Pod', 'default', 'probed');
      expect(pod?.status.containerStatuses?.[0]?.restartCount).toBe(0);
    },
  );
});
