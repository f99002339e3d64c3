/** Goal: virtual time never runs backwards, ties never reorder, and causes follow what they cause. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kernel } from './kernel.ts';

describe('Kernel', () => {
  it('runs actions in order of time, ties in order of scheduling', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (delays) => {
        const kernel = new Kernel(1);
        const ran: { readonly at: number; readonly index: number }[] = [];
        delays.forEach((delay, index) =>
          kernel.after(delay, () => ran.push({ at: kernel.now(), index })),
        );
        while (kernel.step());
        const expected = delays
          .map((at, index) => ({ at, index }))
          .toSorted((left, right) => left.at - right.at || left.index - right.index);
        expect(ran).toEqual(expected);
      }),
    );
  });

  it('does not run what was cancelled', () => {
    const kernel = new Kernel(1);
    let ran = 0;
    kernel.after(1, () => (ran += 1)).cancel();
    kernel.after(2, () => (ran += 10));
    kernel.runUntil(5);
    expect([ran, kernel.now()]).toEqual([10, 5]);
  });

  it('links what an action does to what scheduled it', () => {
    const kernel = new Kernel(1);
    const reboot = kernel.occur('machine.rebooted', { message: 'a' });
    kernel.after(5, () => kernel.occur('node.files-lost', { message: 'b' }));
    kernel.step();
    expect(kernel.occurrence(2)).toMatchObject({ at: 5, because: [reboot] });
  });

  it('adds causes that are told, and counts each once', () => {
    const kernel = new Kernel(1);
    const first = kernel.occur('talos.rebooted', { message: '' });
    const second = kernel.because([], () => kernel.occur('node.ready', { message: '' }));
    kernel.because([first], () =>
      kernel.occur('node.not-ready', { message: '', because: [second, first] }),
    );
    expect(kernel.occurrence(3).because.toSorted()).toEqual([first, second]);
  });

  it('does not leak the causes of one action into the next', () => {
    const kernel = new Kernel(1);
    kernel.after(1, () => kernel.occur('talos.rebooted', { message: '' }));
    kernel.after(2, () => kernel.occur('node.ready', { message: '' }));
    kernel.runUntil(3);
    expect(kernel.occurrence(2).because).toEqual([]);
  });

  it('drives work that waits on answers, in virtual time', async () => {
    const kernel = new Kernel(1);
    const log: string[] = [];
    kernel.after(15, () => log.push('meanwhile'));
    const result = await kernel.drive(async () => {
      log.push(await kernel.answer(10, () => 'first'));
      log.push(await kernel.answer(10, () => 'second'));
      return kernel.now();
    });
    expect(log).toEqual(['first', 'meanwhile', 'second']);
    expect(result).toBe(20);
  });

  it('lets work on once for all answers of one instant', async () => {
    const kernel = new Kernel(1);
    const log: string[] = [];
    const ask = async (name: string): Promise<void> => {
      await kernel.answer(10, () => log.push(`${name} answered`));
      log.push(`${name} heard`);
    };
    await kernel.drive(() => Promise.all([ask('a'), ask('b')]));
    expect(log).toEqual(['a answered', 'b answered', 'a heard', 'b heard']);
  });

  it('rejects the work with what an answer throws', async () => {
    const kernel = new Kernel(1);
    const work = kernel.drive(() =>
      kernel.answer(1, () => {
        throw new Error('refused');
      }),
    );
    await expect(work).rejects.toThrow('refused');
  });

  it('says so when the work waits and nothing is left to happen', async () => {
    const kernel = new Kernel(1);
    await expect(kernel.drive(() => new Promise(() => undefined))).rejects.toThrow(
      'nothing left to do',
    );
  });
});
