/**
 * What an agent that audits policies notes of packets they deny: as many per node as Hubble's ring
 * holds (C@v1.16.5:pkg/hubble/defaults: 4095 flows). Kept by the agent's process in truth; nothing here
 * reads further back than an agent lives.
 */
import type { Place } from './places.ts';

const RING = 4_095;

export interface AuditedFlow {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly direction: 'Ingress' | 'Egress';
  readonly source: AuditedEnd;
  readonly destination: AuditedEnd;
}

export type AuditedEnd =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'host' | 'world' };

export class PolicyAudit {
  private readonly rings = new Map<string, AuditedFlow[]>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  note(judged: Place, direction: AuditedFlow['direction'], other: Place | undefined): void {
    const { name } = judged.node;
    let ring = this.rings.get(name);
    if (ring === undefined) this.rings.set(name, (ring = []));
    const [own, peer] = [endOf(judged), endOf(other)];
    const ends =
      direction === 'Egress'
        ? { source: own, destination: peer }
        : { source: peer, destination: own };
    ring.push({ at: this.now(), direction, ...ends });
    if (ring.length > RING) ring.shift();
  }

  /** Oldest first. */
  on(node: string, since: number): readonly AuditedFlow[] {
    return (this.rings.get(node) ?? []).filter(({ at }) => at >= since);
  }
}

function endOf(place: Place | undefined): AuditedEnd {
  if (place === undefined) return { kind: 'world' };
  if (place.pod === undefined || place.attachment === undefined) return { kind: 'host' };
  const { namespace = '', name } = place.pod.metadata;
  return { kind: 'pod', namespace, name };
}
