/** Goal: what an executor sees of a bad way to the cluster, and that a killed one sees nothing at all. */
import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Ports } from '../../ports/index.ts';
import { createTwinPorts } from '../ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../scenario/build-world.ts';
import { smallCluster } from '../../../test/support/small-cluster.ts';
import { type Disturbance, Weather, type Wire } from './wire.ts';

interface Bench {
  readonly world: TwinWorld;
  readonly weather: Weather;
  readonly wire: Wire;
  readonly ports: Ports;
}

function bench(): Bench {
  const { world } = buildWorld(smallCluster(), { seed: 1 });
  const weather = new Weather(world.kernel);
  const wire = weather.wire();
  return { world, weather, wire, ports: wire.around(createTwinPorts(world)) };
}

const NODE = { apiVersion: 'v1', kind: 'Node', name: 't-w1' } as const;

function label({ kubernetes }: Ports, value: string): Promise<NodeObject> {
  return kubernetes.patch<NodeObject>(NODE, { metadata: { labels: { mark: value } } });
}

function labelOf({ store }: TwinWorld): string | undefined {
  return store.get('Node', undefined, 't-w1')?.metadata.labels?.['mark'];
}

const LOST = (): RegaugeError => new RegaugeError('unreachable', 'lost');

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'answered',
    (error: unknown) => (error instanceof RegaugeError ? error.code : 'another error'),
  );
}

function heldFor(patienceMs: number): Disturbance {
  return { effectOn: () => ({ kind: 'held', patienceMs, error: LOST }) };
}

describe('a wire', () => {
  it('changes nothing while nothing is wrong', async () => {
    const { world, ports } = bench();
    await world.kernel.drive(() => label(ports, 'a'));
    expect(labelOf(world)).toBe('a');
  });

  it('sends what was held once the disturbance is over, and not before', async () => {
    const { world, weather, ports } = bench();
    const end = weather.begin(heldFor(60_000));
    world.kernel.after(30_000, end);
    world.kernel.after(29_000, () => expect(labelOf(world)).toBeUndefined());
    await world.kernel.drive(() => label(ports, 'a'));
    expect(labelOf(world)).toBe('a');
    expect(world.kernel.now()).toBeGreaterThanOrEqual(30_000);
  });

  it('gives up on what was held for longer than patience lasts, and never sends it', async () => {
    const { world, weather, ports } = bench();
    world.kernel.after(90_000, weather.begin(heldFor(60_000)));
    expect(await world.kernel.drive(() => codeOf(label(ports, 'a')))).toBe('unreachable');
    expect(world.kernel.now()).toBe(60_000);
    world.kernel.runUntil(200_000);
    expect(labelOf(world)).toBeUndefined();
  });

  it('does at once what it does not answer', async () => {
    const { world, weather, ports } = bench();
    weather.begin({
      effectOn: () => ({ kind: 'unanswered', patienceMs: 300_000, error: LOST }),
    });
    world.kernel.after(1_000, () => expect(labelOf(world)).toBe('a'));
    expect(await world.kernel.drive(() => codeOf(label(ports, 'a')))).toBe('unreachable');
    expect(world.kernel.now()).toBe(300_000);
  });

  it('loses the answer of a call under way, though it was done', async () => {
    const { world, weather, ports } = bench();
    world.kernel.after(2, () =>
      weather.begin({ effectOn: () => undefined, onCallsUnderWay: LOST }),
    );
    expect(await world.kernel.drive(() => codeOf(label(ports, 'a')))).toBe('unreachable');
    expect(labelOf(world)).toBe('a');
    // The next call is none that was under way.
    expect(await world.kernel.drive(() => codeOf(label(ports, 'b')))).toBe('answered');
  });

  it('ends an executor after it has sent so many calls: the last is done, and nobody hears of it', async () => {
    const { world, wire, ports } = bench();
    wire.afterCalls(2, () => wire.cut());
    const heard: string[] = [];
    await world.kernel.drive(async () => {
      void (async () => {
        for (const value of ['a', 'b', 'c']) {
          await label(ports, value);
          heard.push(value);
        }
      })();
      await createTwinPorts(world).clock.sleep(10_000);
    });
    expect(heard).toEqual(['a']);
    expect(labelOf(world)).toBe('b');
  });

  it('breaks a watch off, for a new one to begin', async () => {
    const { world, weather, ports } = bench();
    const { resourceVersion } = world.store;
    world.kernel.after(1_000, () =>
      weather.breakStreams(() => new RegaugeError('expired', 'too old')),
    );
    const work = async (): Promise<string> => {
      const options = { resourceVersion: String(resourceVersion) };
      for await (const { type } of ports.kubernetes.watch('v1', 'Node', options)) {
        if (type !== 'bookmark') return type;
      }
      return 'end';
    };
    expect(await world.kernel.drive(() => codeOf(work()))).toBe('expired');
  });
});
