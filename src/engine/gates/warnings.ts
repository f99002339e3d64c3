/**
 * What the cluster itself complains of: its Warning events, listed at most once a second however many
 * gates ask. A complaint counts by its growth on our own clock (the cluster's may differ), and by the
 * name of its object without what a controller drew, since a pod that fails again has another name.
 * Beside them stands what the API server counts of requests it refused, which nobody makes an event of.
 */
import type { EventObject } from '../../model/kubernetes.ts';
import type { ClockPort, KubernetesPort } from '../../ports/index.ts';
import { RefusedRequests } from './refused-requests.ts';
import { SharedLook } from './shared-look.ts';

export interface Complaint {
  readonly event: EventObject;
  /** Namespace and name without drawn parts: the same for a pod and the one that replaces it. */
  readonly about: string;
  /** Clock milliseconds of the last look at which it was new or had grown. */
  readonly grewAt: number;
}

interface Known {
  readonly count: number;
  readonly grewAt: number;
}

type Reads = Pick<KubernetesPort, 'list' | 'authenticationFailures'>;

export class Warnings {
  readonly refused: RefusedRequests;
  private readonly kubernetes: Reads;
  private readonly clock: ClockPort;
  private known: ReadonlyMap<string, Known> = new Map();
  private readonly shared: SharedLook<readonly Complaint[]>;

  constructor(kubernetes: Reads, clock: ClockPort) {
    this.kubernetes = kubernetes;
    this.clock = clock;
    this.refused = new RefusedRequests(kubernetes, clock);
    this.shared = new SharedLook(clock, () => this.read());
  }

  now(): number {
    return this.clock.now();
  }

  /** Throws as the port does: what cannot be read is not known to be nothing. */
  look(): Promise<readonly Complaint[]> {
    return this.shared.look();
  }

  private async read(): Promise<readonly Complaint[]> {
    const events = await this.kubernetes.list<EventObject>('v1', 'Event', {
      fieldSelector: { type: 'Warning' },
    });
    const now = this.clock.now();
    const before = this.known;
    const known = new Map<string, Known>();
    const complaints = events.map((event): Complaint => {
      const key = event.metadata.uid ?? `${event.metadata.namespace ?? ''}/${event.metadata.name}`;
      const count = event.count ?? 1;
      const old = before.get(key);
      const grewAt = old === undefined || count > old.count ? now : old.grewAt;
      known.set(key, { count, grewAt });
      return { event, about: aboutOf(event), grewAt };
    });
    this.known = known;
    return complaints;
  }
}

/** `web-7d4b9c6f5-x2x1z` of a Deployment, `job-28391-abcde`, `agent-x2x1z` (KK apiserver names/generate.go). */
const DRAWN = /(-[0-9bcdf-hj-np-tv-z]{8,10})?-[0-9bcdf-hj-np-tv-z]{5}$/;

function aboutOf({ involvedObject }: EventObject): string {
  const { namespace = 'default', name } = involvedObject;
  return `${namespace}/${name.replace(DRAWN, '')}`;
}
