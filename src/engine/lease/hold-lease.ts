/**
 * Holds the Lease of a cluster: taken when nobody has it, or from a holder that was seen not to renew
 * it for its whole duration. Time is this machine's own monotonic clock only, as in client-go's leader
 * election: clocks of two machines need not agree.
 *
 * A change is sent only while the last renewal is younger than the duration; then nobody can have
 * taken over. What was sent in that time and is slow may still arrive after a takeover. No server
 * fences that off, so it must do no harm: whoever takes over has waited a whole duration without
 * sending anything, observes before it acts, and every act is one that may come twice: labels and
 * cordons say the same, evictions and deletions name one very pod, Helm refuses a second operation.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { ClockPort, KubernetesPort } from '../../ports/index.ts';
import type { Fence } from '../run/guard-ports.ts';
import { RunHalted } from '../run/run-control.ts';
import { holderOf, LEASE, leaseObject, type LeaseObject } from './lease-object.ts';
import { settleInNamespace } from './settle-in-namespace.ts';

/** As client-go's leader election: 15 s, renewed well within. */
export const LEASE_DURATION_MS = 15_000;
const RENEW_MS = 5_000;
/** Between looks at a lease that somebody else holds. */
const LOOK_MS = 1_000;
/** A call that is sent with less left than this might not arrive in time. */
const LEAST_LEFT_MS = 2_000;

export interface LeaseOptions {
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  /** For the time between renewals: a sleep of it need not keep the process alive; `clock` when absent. */
  readonly renewClock?: ClockPort;
  /** Milliseconds since 1970, for people to read. */
  readonly wallTime: () => number;
  /** Of this process alone: `alice@laptop/4711-9f3c`. */
  readonly holder: string;
  /** From whoever holds it, without seeing whether it is alive. */
  readonly takeOver?: boolean;
  /** Somebody holds it, and it is seen whether it is alive. */
  readonly onWait?: (message: string) => void;
}

export interface HeldLease extends Fence {
  /** Lets the next one in at once. What is sent must have been answered. */
  release(): Promise<void>;
}

/** `conflict`, with who holds it since when, when it is held by one that is alive. */
export async function holdLease(options: LeaseOptions): Promise<HeldLease> {
  await settleInNamespace(options.kubernetes);
  const taken = await take(options);
  const held = new Held(options, taken.lease, taken.sentAt);
  held.keepRenewing();
  if (taken.byForce) {
    options.onWait?.('waiting until what the other one sent has come to its end');
    await options.clock.sleep(LEASE_DURATION_MS);
    await held.check();
  }
  return held;
}

interface Taken {
  readonly lease: LeaseObject;
  /** Clock time before the request: the lease is ours from no later than then. */
  readonly sentAt: number;
  readonly byForce: boolean;
}

async function take(options: LeaseOptions): Promise<Taken> {
  let seen: { readonly version: string | undefined; readonly since: number } | undefined;
  for (;;) {
    const found = await options.kubernetes.get<LeaseObject>(LEASE);
    const holder = holderOf(found);
    const now = options.clock.now();
    const byForce = holder !== undefined && options.takeOver === true;
    const duration = (found?.spec?.leaseDurationSeconds ?? LEASE_DURATION_MS / 1000) * 1000;
    const isSilent = seen !== undefined && now - seen.since >= duration;
    if (holder === undefined || byForce || isSilent) {
      const lease = await tryTake(options, found);
      if (lease !== undefined) return { lease, sentAt: now, byForce: byForce && !isSilent };
      continue;
    }
    const version = found?.metadata.resourceVersion;
    if (seen === undefined) {
      seen = { version, since: now };
      options.onWait?.(`${heldBy(found)}; seeing whether it is alive`);
    } else if (seen.version !== version) throw heldBySomebody(found);
    await options.clock.sleep(LOOK_MS);
  }
}

/** Undefined when somebody else was faster. */
async function tryTake(
  { kubernetes, wallTime, holder }: LeaseOptions,
  found: LeaseObject | undefined,
): Promise<LeaseObject | undefined> {
  const now = wallTime();
  const holding = {
    holder,
    durationMs: LEASE_DURATION_MS,
    acquiredAt: now,
    renewedAt: now,
    token: (found?.spec?.leaseTransitions ?? 0) + 1,
  };
  try {
    if (found === undefined) return await kubernetes.create(leaseObject(holding));
    return await kubernetes.replace(leaseObject(holding, found.metadata.resourceVersion));
  } catch (error) {
    if (error instanceof RegaugeError && error.code === 'conflict') return undefined;
    throw error;
  }
}

function heldBySomebody(lease: LeaseObject | undefined): RegaugeError {
  return new RegaugeError('conflict', `another regauge works on this cluster: ${heldBy(lease)}`, {
    hint: 'Wait for it, or pause it where it runs. When it is gone for good, its lease runs out by itself in 15 seconds; --take-over does not wait for that.',
  });
}

function heldBy(lease: LeaseObject | undefined): string {
  const { acquireTime = 'an unknown time', renewTime = 'an unknown time' } = lease?.spec ?? {};
  return `lease ${LEASE.namespace ?? ''}/${LEASE.name} is held by ${holderOf(lease) ?? 'nobody'} since ${acquireTime}, renewed ${renewTime}`;
}

class Held implements HeldLease {
  readonly token: number;
  private readonly options: LeaseOptions;
  private lease: LeaseObject;
  private validUntil: number;
  private lost: RunHalted | undefined;
  private released = false;
  private renewing: Promise<void> | undefined;

  constructor(options: LeaseOptions, lease: LeaseObject, sentAt: number) {
    this.options = options;
    this.lease = lease;
    this.token = lease.spec?.leaseTransitions ?? 0;
    this.validUntil = sentAt + LEASE_DURATION_MS;
  }

  remainingMs(): number {
    return Math.max(0, this.validUntil - this.options.clock.now());
  }

  async check(): Promise<void> {
    if (this.remainingMs() < LEAST_LEFT_MS && this.lost === undefined) await this.renew();
    if (this.lost !== undefined) throw this.lost;
  }

  /** Until released or lost; a renewal that fails is tried again with the next one. */
  keepRenewing(): void {
    void this.renewForever();
  }

  private async renewForever(): Promise<void> {
    const { clock, renewClock = clock } = this.options;
    for (;;) {
      await renewClock.sleep(RENEW_MS);
      if (this.released || this.lost !== undefined) return;
      // Whoever wants to change something meets the failure itself.
      await this.renew().catch(() => undefined);
    }
  }

  async release(): Promise<void> {
    this.released = true;
    await this.renewing?.catch(() => undefined);
    if (this.lost !== undefined) return;
    // Validation refuses an empty identity; client-go leaves it out too.
    const { holderIdentity: _holder, ...rest } = this.lease.spec ?? {};
    const spec = { ...rest, leaseDurationSeconds: 1 };
    await this.options.kubernetes
      .replace<LeaseObject>({ ...this.lease, spec })
      // Then it runs out by itself.
      .catch(() => undefined);
  }

  private renew(): Promise<void> {
    this.renewing ??= this.renewOnce().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async renewOnce(): Promise<void> {
    const { kubernetes, clock, wallTime } = this.options;
    for (;;) {
      const sentAt = clock.now();
      const spec = { ...this.lease.spec, renewTime: timeText(wallTime()) };
      try {
        this.lease = await kubernetes.replace<LeaseObject>(
          { ...this.lease, spec },
          { deadlineMs: RENEW_MS },
        );
        this.validUntil = sentAt + LEASE_DURATION_MS;
        return;
      } catch (error) {
        if (!(error instanceof RegaugeError)) throw error;
        if (error.code === 'not-found') return this.lose('the lease was deleted');
        if (error.code !== 'conflict') throw error;
      }
      const found = await kubernetes.get<LeaseObject>(LEASE, { deadlineMs: RENEW_MS });
      const isOurs =
        holderOf(found) === this.options.holder && found?.spec?.leaseTransitions === this.token;
      if (found === undefined || !isOurs) return this.lose(heldBy(found));
      // Somebody wrote to it without taking it: ours still, in a newer version.
      this.lease = found;
    }
  }

  private lose(why: string): void {
    this.lost = new RunHalted(`this run no longer holds the cluster: ${why}`);
  }
}

function timeText(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
