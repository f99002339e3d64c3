/** The lease on the twin's API, in virtual time: who holds it, who waits, who is refused, who has lost it. */
import { describe, expect, it } from 'vitest';
import { oneNode } from '../../../test/support/lease-world.ts';
import { RunHalted } from '../run/run-control.ts';
import { type HeldLease, holdLease, LEASE_DURATION_MS } from './hold-lease.ts';
import { LEASE, type LeaseObject } from './lease-object.ts';

describe('holdLease', () => {
  it('makes its namespace, and holds with a token that grows with every holder', async () => {
    const { drive, options, ports } = oneNode();
    await drive(async () => {
      const first = await holdLease(options('a'));
      expect(first.token).toBe(1);
      await first.release();
      const second = await holdLease(options('b'));
      expect(second.token).toBe(2);
      const found = await ports.kubernetes.get<LeaseObject>(LEASE);
      expect(found?.spec?.holderIdentity).toBe('b');
    });
  });

  it('refuses a second one while the first renews, and says who holds it since when', async () => {
    const { drive, options } = oneNode();
    await drive(async () => {
      await holdLease(options('alice@laptop/1'));
      const refusal = await holdLease(options('bob@desk/2')).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'conflict' });
      expect(String(refusal)).toMatch(/alice@laptop\/1 since 1970-01-01T/);
    });
  });

  it('takes over from one that is gone, after a whole duration without a renewal', async () => {
    const { drive, options, ports, dying } = oneNode();
    await drive(async () => {
      const gone = dying();
      await holdLease({ ...options('a'), kubernetes: gone.kubernetes });
      gone.die();
      const before = ports.clock.now();
      const lease = await holdLease(options('b'));
      expect(lease.token).toBe(2);
      expect(ports.clock.now() - before).toBeGreaterThanOrEqual(LEASE_DURATION_MS);
    });
  });

  it('keeps from changing anything for a whole duration after it took over by force', async () => {
    const { drive, options, ports } = oneNode();
    await drive(async () => {
      const old = await holdLease(options('a'));
      const before = ports.clock.now();
      await holdLease({ ...options('b'), takeOver: true });
      expect(ports.clock.now() - before).toBeGreaterThanOrEqual(LEASE_DURATION_MS);
      await expect(old.check()).rejects.toThrow(RunHalted);
      await expect(old.check()).rejects.toThrow(/held by b/);
    });
  });

  it('says that it has lost the cluster when it was away for too long and somebody took over', async () => {
    const { drive, options, dying, ports } = oneNode();
    await drive(async () => {
      const cut = dying();
      const old = await holdLease({ ...options('a'), kubernetes: cut.kubernetes });
      cut.cutOff();
      const successor = await holdLease(options('b'));
      cut.mend();
      await expect(old.check()).rejects.toThrow(/no longer holds the cluster.*held by b/);
      await expect(successor.check()).resolves.toBeUndefined();
      expect(ports.clock.now()).toBeGreaterThan(LEASE_DURATION_MS);
    });
  });

  it('does not let a change out while it cannot renew, and goes on when nobody took over', async () => {
    const { drive, options, dying, ports } = oneNode();
    await drive(async () => {
      const cut = dying();
      const lease = await holdLease({ ...options('a'), kubernetes: cut.kubernetes });
      cut.cutOff();
      await ports.clock.sleep(LEASE_DURATION_MS);
      await expect(lease.check()).rejects.toMatchObject({ code: 'unreachable' });
      cut.mend();
      await expect(lease.check()).resolves.toBeUndefined();
    });
  });

  it('goes on when somebody wrote to the lease without taking it', async () => {
    const { drive, options, ports } = oneNode();
    await drive(async () => {
      const lease = await holdLease(options('a'));
      await ports.kubernetes.patch(LEASE, { metadata: { labels: { seen: 'true' } } });
      await ports.clock.sleep(2 * LEASE_DURATION_MS);
      await expect(lease.check()).resolves.toBeUndefined();
    });
  });

  it('of many that come at once, lets one in', async () => {
    const { drive, options } = oneNode();
    await drive(async () => {
      const all = ['a', 'b', 'c', 'd'].map((holder) => holdLease(options(holder)));
      const ended = await Promise.allSettled<HeldLease>(all);
      expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });
});
