import { describe, expect, it } from 'vitest';
import { QuickTimers } from '../../../test/support/fake-api-server.ts';
import { Throttle } from './throttle.ts';

describe('throttle', () => {
  it('lets no more than twenty through in any second, in their order', async () => {
    const timers = new QuickTimers();
    const throttle = new Throttle(timers, 20);
    const at: { readonly index: number; readonly time: number }[] = [];
    const turn = (index: number) =>
      throttle.turn().then(() => at.push({ index, time: timers.now() }));
    await Promise.all(Array.from({ length: 90 }, (_, index) => turn(index)));
    expect(at.map(({ index }) => index)).toEqual(Array.from({ length: 90 }, (_, index) => index));
    for (const { time } of at) {
      const inSecond = at.filter((each) => each.time >= time && each.time < time + 1_000);
      expect(inSecond.length).toBeLessThanOrEqual(20);
    }
    expect(timers.now()).toBeLessThanOrEqual(5_000);
  });

  it('lets go who does not want to wait any more, and serves the others', async () => {
    const timers = new QuickTimers();
    const throttle = new Throttle(timers, 1);
    const controller = new AbortController();
    await throttle.turn();
    const left = throttle.turn(controller.signal);
    const stays = throttle.turn();
    controller.abort();
    await expect(left).rejects.toMatchObject({ code: 'interrupted' });
    await stays;
    expect(timers.now()).toBe(1_000);
  });
});
