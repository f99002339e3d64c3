/** Pods that start late, never, or not as asked: one clear error each, and nothing that stays. */
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure-of.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import type { Timers } from '../kubernetes/timers.ts';
import { HostPods } from './host-pods.ts';

type Status = PodObject['status'];

interface Fake {
  readonly pods: HostPods;
  readonly created: string[];
  readonly deleted: string[];
  /** Time is up for whatever has a deadline. */
  timeOut(): void;
}

/** Tells nothing until somebody ends it. */
const silentWatch: KubernetesPort['watch'] = (_version, _kind, { signal }) => ({
  [Symbol.asyncIterator]: () => ({
    next: () =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error)); // as it was given
      }),
  }),
});

async function* secretLogs(): AsyncGenerator<string> {
  yield 'Error: password=hunter22 is wrong';
}

/** Each status is what the next look at the pod shows; then nothing changes any more. */
function fake(
  statuses: readonly Status[],
  create: (attempt: number) => RegaugeError | undefined = () => undefined,
): Fake {
  const created: string[] = [];
  const deleted: string[] = [];
  const guards = new Set<() => void>();
  let pod: PodObject | undefined;
  let looks = 0;
  const timers: Timers = {
    now: () => 0,
    after: (_, action) => {
      queueMicrotask(action);
      return () => undefined;
    },
    guard: (_, action) => {
      guards.add(action);
      return () => guards.delete(action);
    },
    random: () => 0,
  };
  const shown = (): PodObject | undefined => {
    const index = Math.min(looks, statuses.length) - 1;
    const status = statuses[index] ?? {};
    if (pod === undefined) return undefined;
    const metadata = { ...pod.metadata, resourceVersion: `${looks}` };
    return { ...pod, metadata, status };
  };
  const kubernetes: Partial<KubernetesPort> = {
    apply: (object) => Promise.resolve(object),
    list: () => Promise.resolve([]),
    create: <T extends KubeObject>(object: T) => {
      created.push(object.metadata.name);
      const error = create(created.length);
      if (error !== undefined) return Promise.reject(error);
      pod = object as unknown as PodObject; // nothing else is made
      return Promise.resolve(object);
    },
    get: <T extends KubeObject>() => {
      if (looks < statuses.length) looks += 1;
      return Promise.resolve(shown() as unknown as T | undefined); // as asked
    },
    watch: silentWatch,
    logs: secretLogs,
    delete: ({ name }) => {
      deleted.push(name);
      return Promise.resolve();
    },
  };
  const port = kubernetes as KubernetesPort; // what the pods use of it
  return {
    pods: new HostPods({ kubernetes: port, run: 'r', image: 'registry.example/box:1', timers }),
    created,
    deleted,
    timeOut: () => {
      for (const action of guards) action();
    },
  };
}

function waiting(reason: string, message: string): Status {
  const state = { waiting: { reason, message } };
  return {
    phase: 'Pending',
    containerStatuses: [{ name: 'host', ready: false, restartCount: 0, state }],
  };
}

/** Lets what is under way come to where it waits. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

const NEEDS = { hostPid: false };

describe('host pods', () => {
  it('wait for a pull that may yet succeed, and say at the end what the kubelet said', async () => {
    const backOff = waiting('ImagePullBackOff', 'Back-off pulling image "registry.example/box:1"');
    const { pods, timeOut, deleted, created } = fake([backOff, backOff]);
    const failure = failureOf(pods.on('w-01', NEEDS));
    await settled();
    expect(deleted).toEqual([]);
    timeOut();
    const error = await failure;
    expect(error.message).toBe(
      'host access to w-01 is not there: its pod does not start: after 120 s ImagePullBackOff: Back-off pulling image "registry.example/box:1"',
    );
    expect(error.hint).toContain('--host-access-image');
    expect(deleted).toEqual(created);
  });

  it('do not wait for what waiting does not change', async () => {
    const { pods, deleted } = fake([waiting('InvalidImageName', 'couldn’t parse image')]);
    const error = await failureOf(pods.on('w-01', NEEDS));
    expect(error.message).toContain('InvalidImageName');
    expect(deleted).toHaveLength(1);
  });

  it('say that the kubelet does not take the pod', async () => {
    const status: Status = {
      phase: 'Failed',
      reason: 'NodeShutdown',
      message: 'node is shutting down',
    };
    const error = await failureOf(fake([status]).pods.on('w-01', NEEDS));
    expect(error.message).toContain('NodeShutdown: node is shutting down');
  });

  it('wait for the service account of a namespace that is new', async () => {
    const early = new RegaugeError(
      'forbidden',
      'error looking up service account regauge-system/default: serviceaccount "default" not found',
    );
    const { pods, created } = fake([{ phase: 'Running' }], (attempt) =>
      attempt < 3 ? early : undefined,
    );
    expect((await pods.on('w-01', NEEDS)).status.phase).toBe('Running');
    expect(created).toHaveLength(3);
  });

  it('take another name where one is taken', async () => {
    const taken = new RegaugeError('conflict', 'already exists');
    const { pods, created } = fake([{ phase: 'Running' }], (attempt) =>
      attempt === 1 ? taken : undefined,
    );
    await pods.on('w-01', NEEDS);
    expect(new Set(created).size).toBe(2);
  });

  it('are made once for all who want one at the same time', async () => {
    const { pods, created } = fake([{ phase: 'Running' }]);
    const [one, other] = await Promise.all([pods.on('w-01', NEEDS), pods.on('w-01', NEEDS)]);
    expect(one).toBe(other);
    expect(created).toHaveLength(1);
  });

  it('have names that differ, and that DNS allows, whatever the nodes are called', async () => {
    const names = await Promise.all(
      ['a.very.long.node.name'.repeat(8), 'ip-10-0-0-1.eu-central-1.compute.internal'].map(
        async (node) => {
          const { pods, created } = fake([{ phase: 'Running' }]);
          await pods.on(node, NEEDS);
          return created[0] ?? '';
        },
      ),
    );
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/);
    expect(new Set(names).size).toBe(2);
  });

  it('tell the last words of a clean-up that failed, without its secrets', async () => {
    const { pods, deleted } = fake([{ phase: 'Failed' }]);
    const error = await failureOf(
      pods.runInKubeProxyImage('w-01', 'registry.k8s.io/kube-proxy:v1.33.0', 'clean up', [
        'kube-proxy',
        '--cleanup',
      ]),
    );
    expect(error.message).toContain('kube-proxy --cleanup failed: Error: password=<redacted>');
    expect(deleted).toHaveLength(1);
  });
});
