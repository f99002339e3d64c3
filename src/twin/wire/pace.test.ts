import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { Pace, type Speed, type WallClock } from './pace.ts';

/** A wall's clock that stands until it is moved; timers fire on the way. */
class HandClock implements WallClock {
  time = 0;
  /** What each look at the clock costs. */
  lookMs = 0;
  timers: { at: number; action: () => void }[] = [];

  now(): number {
    this.time += this.lookMs;
    return this.time;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.time + delayMs, action };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }

  /** How often something was woken. */
  move(to: number): number {
    let woken = 0;
    for (;;) {
      const due = this.timers
        .filter(({ at }) => at <= to)
        .toSorted((left, right) => left.at - right.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.time = Math.max(this.time, due.at);
      woken += 1;
      due.action();
    }
    this.time = Math.max(this.time, to);
    return woken;
  }
}

function setUp(speed: Speed) {
  const kernel = new Kernel(1);
  const clock = new HandClock();
  const failures: unknown[] = [];
  const pace = new Pace({ kernel, speed, clock, onFailure: (error) => failures.push(error) });
  const done: number[] = [];
  const at = (delay: number): void => {
    kernel.after(delay, () => done.push(kernel.now()));
  };
  return { kernel, clock, failures, pace, done, at };
}

describe('Pace', () => {
  it('runs each action when it is due at the chosen speed, and sleeps in between', () => {
    const { clock, pace, done, at } = setUp(10);
    at(1_000);
    at(60_000);
    pace.resume();
    expect(clock.move(99)).toBe(0);
    clock.move(100);
    expect(done).toEqual([1_000]);
    expect(clock.move(5_999)).toBe(0);
    clock.move(6_000);
    expect(done).toEqual([1_000, 60_000]);
    expect(clock.timers).toEqual([]);
  });

  it('brings the virtual clock to the present for a request', () => {
    const { kernel, clock, pace, done, at } = setUp(2);
    pace.resume();
    clock.move(500);
    pace.catchUp();
    expect(kernel.now()).toBe(1_000);
    at(4);
    pace.schedule();
    clock.move(502);
    expect(done).toEqual([1_004]);
  });

  it('lets no time pass while paused', () => {
    const { kernel, clock, pace, done, at } = setUp(1);
    at(100);
    pace.resume();
    clock.move(40);
    pace.pause();
    clock.move(10_000);
    pace.catchUp();
    expect([kernel.now(), done]).toEqual([40, []]);
    pace.resume();
    clock.move(10_060);
    expect(done).toEqual([100]);
  });

  it('runs from action to action at full speed, giving way to requests', () => {
    const { kernel, clock, pace } = setUp('max');
    let count = 0;
    const tick = (): void => {
      count += 1;
      if (count < 100) kernel.after(3_600_000, tick);
    };
    kernel.after(0, tick);
    clock.lookMs = 1;
    pace.resume();
    expect(clock.move(100_000)).toBeGreaterThan(2);
    expect(count).toBe(100);
  });

  it('falls behind rather than holding a request up', () => {
    const { kernel, clock, pace } = setUp(1_000);
    let count = 0;
    const busy = (): void => {
      count += 1;
      kernel.after(1, busy);
    };
    kernel.after(0, busy);
    pace.resume();
    clock.time = 1_000;
    clock.lookMs = 1;
    pace.catchUp();
    expect(count).toBeLessThan(30);
    expect(kernel.now()).toBeLessThan(1_000);
  });

  it('tells of an action that throws, and stands still', () => {
    const { kernel, clock, pace, failures, done, at } = setUp(1);
    kernel.after(10, () => {
      throw new TypeError('a mistake');
    });
    at(20);
    pace.resume();
    clock.move(100);
    expect(failures).toEqual([new TypeError('a mistake')]);
    expect(done).toEqual([]);
    expect(pace.paused).toBe(true);
  });
});
