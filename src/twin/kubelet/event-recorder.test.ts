/** Counts and texts of events as the real recorder would leave them. */
import { describe, expect, it } from 'vitest';
import { constantsWith } from '../constants.ts';
import { Kernel } from '../kernel/kernel.ts';
import { type EventDetails, EventRecorder } from './event-recorder.ts';

function setUp(): { kernel: Kernel; recorder: EventRecorder } {
  const kernel = new Kernel(1);
  return { kernel, recorder: new EventRecorder({ kernel, constants: constantsWith() }) };
}

const subject = { kind: 'Pod', namespace: 'default', name: 'p' };

function warning(message: string, reason = 'Failed'): EventDetails {
  return { subject, component: 'kubelet', host: 'n', type: 'Warning', reason, message };
}

describe('equal events', () => {
  it('add up in one record', () => {
    const { kernel, recorder } = setUp();
    recorder.record(warning('same'));
    kernel.runUntil(5_000);
    recorder.record(warning('same'));
    const [event, ...others] = recorder.of(subject);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ count: 2, firstMs: 0, lastMs: 5_000 });
  });

  it('of a pod that was replaced under the same name stay apart', () => {
    const { recorder } = setUp();
    recorder.record({ ...warning('same'), subjectUid: 'a' });
    recorder.record({ ...warning('same'), subjectUid: 'b' });
    expect(recorder.of(subject).map(({ count }) => count)).toEqual([1, 1]);
  });
});

describe('different events of one kind', () => {
  it('are combined from the tenth on, within ten minutes', () => {
    const { kernel, recorder } = setUp();
    for (let index = 0; index < 15; index += 1) {
      recorder.record(warning(`id ${index}`));
      kernel.runUntil(kernel.now() + 13_000);
    }
    const events = recorder.of(subject);
    expect(events).toHaveLength(10);
    expect(events.at(-1)).toMatchObject({ count: 6 });
    expect(events.at(-1)?.message).toMatch(/^\(combined from similar events\): id 9$/);
  });

  it('start over after ten quiet minutes', () => {
    const { kernel, recorder } = setUp();
    for (let index = 0; index < 9; index += 1) recorder.record(warning(`id ${index}`));
    kernel.runUntil(601_000);
    recorder.record(warning('id 9'));
    expect(recorder.of(subject).at(-1)?.message).toBe('id 9');
  });
});

describe('the spam filter', () => {
  it('lets 25 through at once and then one in five minutes', () => {
    const { kernel, recorder } = setUp();
    for (let index = 0; index < 40; index += 1) recorder.record(warning('same'));
    expect(recorder.of(subject)[0]?.count).toBe(25);
    kernel.runUntil(300_000);
    recorder.record(warning('same'));
    recorder.record(warning('same'));
    expect(recorder.of(subject)[0]?.count).toBe(26);
  });

  it('counts each source by itself', () => {
    const { recorder } = setUp();
    for (let index = 0; index < 40; index += 1) recorder.record(warning('same'));
    recorder.record({ ...warning('other'), component: 'default-scheduler' });
    expect(recorder.of(subject).map(({ count }) => count)).toEqual([25, 1]);
  });
});

describe('an event that goes on by itself', () => {
  it('is counted when somebody reads, and no more once stopped', () => {
    const { kernel, recorder } = setUp();
    const recurrence = recorder.recur(warning('again'), 2_000, 2_000);
    kernel.runUntil(14_500);
    expect(recorder.of(subject)[0]).toMatchObject({ count: 8, lastMs: 14_000 });
    kernel.runUntil(16_000);
    recurrence.stop();
    kernel.runUntil(60_000);
    expect(recorder.of(subject)[0]).toMatchObject({ count: 8, lastMs: 14_000 });
  });

  it('comes to what single events would have come to', () => {
    const [byHand, byItself] = [setUp(), setUp()];
    byItself.recorder.recur(warning('again'), 2_000, 2_000);
    for (let time = 0; time <= 3_000_000; time += 2_000) {
      byHand.kernel.runUntil(time);
      byHand.recorder.record(warning('again'));
    }
    byItself.kernel.runUntil(3_000_000);
    const [expected] = byHand.recorder.of(subject);
    const [event] = byItself.recorder.of(subject);
    expect(Math.abs((event?.count ?? 0) - (expected?.count ?? 0))).toBeLessThanOrEqual(1);
  });

  it('is forgotten an hour after its last', () => {
    const { kernel, recorder } = setUp();
    recorder.record(warning('once'));
    kernel.runUntil(3_600_000);
    expect(recorder.of(subject)).toHaveLength(1);
    kernel.runUntil(3_600_001);
    expect(recorder.of(subject)).toEqual([]);
  });
});
