/**
 * host-local's directory of one network name: a file per address, holding the container it is for,
 * and the last address given per range (`plugins:plugins/ipam/host-local/backend/disk/backend.go@v1.6.2`).
 */
import type { OccurrenceId } from '../../model/occurrence.ts';

const LINE_BREAK = '\r\n';
const LAST = 'last_reserved_ip.';

/** One address of one container: a file of the store, and an entry in the container's own list. */
export interface Lease {
  readonly store: LeaseStore;
  holder: LeaseHolder;
  readonly ifName: string;
  readonly address: string;
  next: Lease | undefined;
}

/** Whoever leases are for; what it has is a chain, since it is nearly always one. */
export interface LeaseHolder {
  readonly id: string;
  leases: Lease | undefined;
}

/** `last_reserved_ip.<range>`, and where in which set of ranges that was, to save looking. */
export interface LastLease {
  address: string;
  within: object | undefined;
  position: number;
}

export class LeaseStore {
  /** The first lease whose holder was torn down without it, if any was. */
  leakedBecause: OccurrenceId | undefined;
  readonly network: string;
  private readonly leases = new Map<string, Lease>();
  private readonly last: (LastLease | undefined)[] = [];

  constructor(network: string) {
    this.network = network;
  }

  get size(): number {
    return this.leases.size;
  }

  has(address: string): boolean {
    return this.leases.has(address);
  }

  reserve(holder: LeaseHolder, ifName: string, address: string): void {
    const lease: Lease = { store: this, holder, ifName, address, next: holder.leases };
    holder.leases = lease;
    this.leases.set(address, lease);
  }

  /** Frees all of the holder's addresses on the interface; none is no error. */
  release(holder: LeaseHolder, ifName: string): void {
    let before: Lease | undefined;
    for (let lease = holder.leases; lease !== undefined; lease = lease.next) {
      if (lease.store !== this || lease.ifName !== ifName) {
        before = lease;
        continue;
      }
      this.leases.delete(lease.address);
      if (before === undefined) holder.leases = lease.next;
      else before.next = lease.next;
    }
  }

  lastOf(range: number): LastLease | undefined {
    return this.last[range];
  }

  setLast(range: number, address: string, within: object | undefined, position: number): void {
    const known = this.last[range];
    if (known === undefined) {
      this.last[range] = { address, within, position };
      return;
    }
    known.address = address;
    known.within = within;
    known.position = position;
  }

  entries(): readonly Lease[] {
    return [...this.leases.values()];
  }

  // ---------------------------------------------------------------- as files

  files(): readonly string[] {
    return [
      ...this.leases.keys(),
      ...[...this.last.keys()].map((range) => `${LAST}${range}`),
      'lock',
    ];
  }

  read(name: string): string | undefined {
    if (name.startsWith(LAST)) return this.last[Number(name.slice(LAST.length))]?.address;
    const lease = this.leases.get(name);
    if (lease === undefined) return name === 'lock' ? '' : undefined;
    return `${lease.holder.id}${LINE_BREAK}${lease.ifName}`;
  }

  write(name: string, content: string, holderOf: (containerId: string) => LeaseHolder): void {
    if (name === 'lock') return;
    if (name.startsWith(LAST)) {
      this.setLast(Number(name.slice(LAST.length)), content.trim(), undefined, -1);
      return;
    }
    const [containerId = '', ifName = 'eth0'] = content.trim().split(LINE_BREAK);
    this.reserve(holderOf(containerId), ifName, name);
  }

  removeFile(name: string): void {
    const lease = this.leases.get(name);
    if (name.startsWith(LAST)) this.last[Number(name.slice(LAST.length))] = undefined;
    if (lease === undefined) return;
    this.leases.delete(name);
    const { holder } = lease;
    let before: Lease | undefined;
    for (let other = holder.leases; other !== undefined; other = other.next) {
      if (other === lease && before === undefined) holder.leases = other.next;
      else if (other === lease && before !== undefined) before.next = other.next;
      else before = other;
    }
  }
}
