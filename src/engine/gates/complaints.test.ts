/**
 * What the cluster complains of holds a run up when it was not so before, and only while it lasts; what
 * cannot be read is not taken for nothing.
 */
import { describe, expect, it } from 'vitest';
import { FakeCluster, type FakeOptions } from '../../../test/support/fake-cluster.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { EventObject, PodObject } from '../../model/kubernetes.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { runPlan, type RunOptions } from '../run-plan.ts';
import { planOf, stepOf } from '../testing.ts';

const PLAN = planOf([
  stepOf('wait', { kind: 'cordon', nodes: ['b'] }),
  stepOf(
    'gated',
    { kind: 'cordon', nodes: ['a'] },
    { after: ['wait'], gates: [{ kind: 'sandboxes-made' }, { kind: 'tokens-accepted' }] },
  ),
]);

function warning(name: string, reason: string, message: string, count = 1): EventObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.1`, namespace: 'default', uid: `event-${name}` },
    involvedObject: { kind: 'Pod', namespace: 'default', name },
    source: { component: 'kubelet', host: 'b' },
    type: 'Warning',
    reason,
    message,
    count,
  };
}

const NO_SANDBOX = 'failed to setup network for sandbox: open /run/flannel/subnet.env';
const REFUSED = 'error getting ClusterInformation: connection is unauthorized: Unauthorized';

function pending(name: string): PodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name },
    spec: { nodeName: 'b', containers: [] },
    status: { phase: 'Pending' },
  } as PodObject;
}

async function run(cluster: FakeCluster, options: RunOptions = {}) {
  const events: RunEvent[] = [];
  const result = await cluster.drive(() =>
    runPlan(PLAN, cluster.ports, {
      gateTimeoutSeconds: 300,
      ...options,
      onEvent: (event) => events.push(event),
    }),
  );
  const waits = events.flatMap((event) =>
    event.type === 'gate' && event.state === 'waiting' ? [event.message] : [],
  );
  return { result, waits, events };
}

const TWO: FakeOptions = { nodes: ['a', 'b'] };
/** After the look before the first step, and before the gate. */
const MEANWHILE_MS = 25;

describe('sandboxes-made', () => {
  it('waits for a pod that gets no sandbox, says the plugin’s words, and goes on when it has one', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.put(pending('web-7d4b9c6f5-x2x9z'));
    cluster.put(warning('web-7d4b9c6f5-x2x9z', 'FailedCreatePodSandBox', NO_SANDBOX));
    cluster.kernel.after(40_000, () => {
      const pod = pending('web-7d4b9c6f5-x2x9z');
      cluster.put({ ...pod, status: { phase: 'Running', podIP: '10.245.0.9' } } as PodObject);
    });
    const { result, waits } = await run(cluster, { brokenBefore: [] });
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeGreaterThan(39);
    expect(waits[0]).toContain(`default/web-7d4b9c6f5-x2x9z gets no sandbox on b`);
    expect(waits[0]).toContain(NO_SANDBOX);
  });

  it('stops at its deadline with the reason', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.put(pending('job-x2x9z'));
    cluster.put(warning('job-x2x9z', 'FailedCreatePodSandBox', NO_SANDBOX));
    const { result } = await run(cluster, { brokenBefore: [], gateTimeoutSeconds: 60 });
    expect(result.failed?.step).toBe('gated');
    expect(result.failed?.message).toMatch(/sandboxes-made does not hold.*job-x2x9z/);
  });

  it('does not wait for a pod whose like had none before, whatever its new name', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.put(pending('sick-7d4b9c6f5-bbbbb'));
    cluster.put(warning('sick-7d4b9c6f5-bbbbb', 'FailedCreatePodSandBox', NO_SANDBOX));
    cluster.kernel.after(MEANWHILE_MS, () => {
      cluster.put(pending('sick-7d4b9c6f5-ccccc'));
      cluster.put(warning('sick-7d4b9c6f5-ccccc', 'FailedCreatePodSandBox', NO_SANDBOX));
    });
    const { result, events } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(events).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/pods of 1 owners fail already/) }),
    );
  });

  it('hands what was broken before on to the run that goes on', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.put(pending('sick-7d4b9c6f5-bbbbb'));
    cluster.put(warning('sick-7d4b9c6f5-bbbbb', 'FailedCreatePodSandBox', NO_SANDBOX));
    const kept: string[] = [];
    await run(cluster, { onBrokenBefore: (all) => Promise.resolve(void kept.push(...all)) });
    expect(kept).toEqual([
      expect.stringMatching(/^unauthorized counted api-1 0 36000\d\d$/),
      'FailedCreatePodSandBox default/sick',
    ]);
    expect((await run(cluster, { brokenBefore: kept })).result.outcome).toBe('done');
  });

  it('does not hold when events cannot be read', async () => {
    const cluster = new FakeCluster({
      ...TWO,
      failing: (what) =>
        what === 'list Event' ? new RegaugeError('forbidden', 'events is forbidden') : undefined,
    });
    const { result } = await run(cluster);
    expect(result.failed?.message).toMatch(/could not be evaluated: events is forbidden/);
    expect(cluster.node('a').spec.unschedulable).toBeUndefined();
  });
});

describe('tokens-accepted', () => {
  it('waits until nobody was answered 401 for a minute', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.put(warning('calico-bbbbb', 'FailedKillPod', REFUSED));
    cluster.kernel.after(20_000, () =>
      cluster.put(warning('calico-bbbbb', 'FailedKillPod', REFUSED, 4)),
    );
    const { result, waits } = await run(cluster, { brokenBefore: [] });
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeGreaterThan(75);
    expect(waits[0]).toMatch(/default\/calico-bbbbb was answered 401.*Unauthorized/);
  });

  it('leaves alone who was answered so before', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.put(warning('calico-bbbbb', 'FailedKillPod', REFUSED));
    cluster.kernel.after(MEANWHILE_MS, () =>
      cluster.put(warning('calico-bbbbb', 'FailedKillPod', REFUSED, 9)),
    );
    const { result } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeLessThan(5);
  });
});

/** So many 401s, one every so many milliseconds, from before the gate on. */
function refuse(cluster: FakeCluster, times: number, everyMs: number): void {
  for (let nth = 0; nth < times; nth += 1)
    cluster.kernel.after(MEANWHILE_MS + nth * everyMs, () => (cluster.refusals += 1));
}

describe('tokens-accepted, by the API server’s own count', () => {
  it('waits while somebody is refused of whom no event tells, and a minute more', async () => {
    const cluster = new FakeCluster(TWO);
    refuse(cluster, 4, 10_000);
    const { result, waits } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeGreaterThan(90);
    expect(waits[0]).toMatch(/answered 1 requests with 401 in the last \d+ s \(0 a minute before/);
  });

  it('stops with the count when it does not end', async () => {
    const cluster = new FakeCluster(TWO);
    refuse(cluster, 100, 10_000);
    const { result } = await run(cluster);
    expect(result.failed?.message).toMatch(
      /tokens-accepted does not hold.*answered \d+ requests with 401/,
    );
  });

  it('does not wait for as many as there were before', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.refusals = 600; // ten a minute, for an hour
    refuse(cluster, 100, 6_000);
    const { result } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeLessThan(60);
  });

  it('compares a process with itself: one that began meanwhile has counted from 0', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.refusals = 5;
    cluster.kernel.after(MEANWHILE_MS, () => {
      cluster.apiServer = 'api-1, anew';
      cluster.apiServerSince = cluster.kernel.now();
      cluster.refusals = 0;
    });
    const { result } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeLessThan(5);
  });

  it('looks twice at an older process that it has not seen before', async () => {
    const cluster = new FakeCluster(TWO);
    cluster.kernel.after(MEANWHILE_MS, () => {
      cluster.apiServer = 'api-2';
      cluster.refusals = 70_000;
    });
    const { result, waits } = await run(cluster);
    expect(waits[0]).toContain('another API server answers than before');
    expect(result.outcome).toBe('done');
    expect(result.seconds).toBeGreaterThan(25);
  });

  it('goes on from what the first run saw', async () => {
    const cluster = new FakeCluster(TWO);
    const kept: string[] = [];
    await run(cluster, { onBrokenBefore: (all) => Promise.resolve(void kept.push(...all)) });
    const later = new FakeCluster(TWO);
    later.apiServerSince -= 60_000;
    later.refusals = 3;
    const { result, waits } = await run(later, { brokenBefore: kept });
    expect(waits[0]).toContain('answered 3 requests with 401');
    expect(result.outcome).toBe('done');
  });

  it('says before it begins that the server does not tell, and goes by events then', async () => {
    const forbidden = new RegaugeError('forbidden', 'GET /metrics is forbidden');
    const cluster = new FakeCluster({
      ...TWO,
      failing: (what) => (what === 'authenticationFailures' ? forbidden : undefined),
    });
    const { result, events } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(events).toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining('seen in events alone: GET /metrics is forbidden'),
      }),
    );
  });

  it('does not hold where it cannot be read any more', async () => {
    const cluster = new FakeCluster({
      ...TWO,
      failing: (what, times) =>
        what === 'authenticationFailures' && times > 1
          ? new RegaugeError('forbidden', 'GET /metrics is forbidden')
          : undefined,
    });
    const { result } = await run(cluster);
    expect(result.failed?.message).toMatch(/could not be evaluated: GET \/metrics is forbidden/);
  });
});
