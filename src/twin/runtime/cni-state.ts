/**
 * What CNI keeps under /var/lib/cni, in a form of its own and readable as files: host-local's leases
 * by network name, libcni's cached results, Flannel's scratch files. On a disk: it outlives pods,
 * runtimes and reboots, which is how addresses leak (truth:L02, L12, L16, L30).
 */
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { JsonObject } from '../../knowledge/go-json.ts';
import type { StateDirectory } from '../node/node-file-system.ts';
import type { SandboxRequest } from '../world.ts';
import { type Lease, LeaseStore } from './lease-store.ts';
import type { CniResult } from './plugin-call.ts';

/** `results/<network>-<container>-<interface>`: a configuration and what it gave. */
export interface CachedAdd {
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
  /** The configuration as it was at ADD; CRI-O runs DEL with it. */
  readonly config: CniNetwork;
  readonly result: CniResult | undefined;
  readonly request: SandboxRequest;
  readonly owner: ContainerOwner;
  next: CachedAdd | undefined;
}

/** All that is kept of one container, in one place, since every call is about one. */
export interface ContainerRecord {
  readonly containerId: string;
  readonly owner: ContainerOwner;
  leases: Lease | undefined;
  cached: CachedAdd | undefined;
  /** Flannel's: the delegate's configuration. */
  scratch: JsonObject | undefined;
  /** Neighbours among the records that hold something. */
  before: ContainerRecord | undefined;
  after: ContainerRecord | undefined;
}

/** A sandbox: it has its record at hand, so that no call has to look for it. */
export interface ContainerOwner {
  readonly id: string;
  record: ContainerRecord | undefined;
}

export class CniState implements StateDirectory {
  /** The runtime calls the loopback plugin through libcni. */
  cachesLoopback = false;
  private readonly stores = new Map<string, LeaseStore>();
  /** The last of a chain of records. */
  private last: ContainerRecord | undefined;
  /** Containers that files were written for by hand, and no sandbox has taken over. */
  private orphans = 0;

  // ---------------------------------------------------------------- containers

  find(owner: ContainerOwner): ContainerRecord | undefined {
    if (owner.record === undefined && this.orphans > 0) {
      const orphan = this.byId(owner.id);
      if (orphan !== undefined) return this.adopt(orphan, owner);
    }
    return owner.record;
  }

  record(owner: ContainerOwner): ContainerRecord {
    return this.find(owner) ?? this.made(owner);
  }

  /** Forgets a container that nothing is kept of any more. */
  settle(record: ContainerRecord): void {
    if (record.leases ?? record.cached ?? record.scratch) return;
    const { before, after } = record;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    else if (this.last === record) this.last = before;
    record.owner.record = undefined;
  }

  private made(owner: ContainerOwner): ContainerRecord {
    const before = this.last;
    const made: ContainerRecord = {
      containerId: owner.id,
      owner,
      leases: undefined,
      cached: undefined,
      scratch: undefined,
      before,
      after: undefined,
    };
    if (before !== undefined) before.after = made;
    this.last = made;
    owner.record = made;
    return made;
  }

  /** The record of a file that somebody wrote becomes that of the sandbox with this id. */
  private adopt(orphan: ContainerRecord, owner: ContainerOwner): ContainerRecord {
    const taken = this.made(owner);
    const { leases } = orphan;
    taken.leases = leases;
    orphan.leases = undefined;
    this.settle(orphan);
    this.orphans -= 1;
    return taken;
  }

  /** For files, which name a container by its id; looks through all. */
  private byId(containerId: string): ContainerRecord | undefined {
    return this.records().find((record) => record.containerId === containerId);
  }

  private holderFor(containerId: string): ContainerRecord {
    const known = this.byId(containerId);
    if (known !== undefined) return known;
    this.orphans += 1;
    return this.made({ id: containerId, record: undefined });
  }

  private records(): readonly ContainerRecord[] {
    const records: ContainerRecord[] = [];
    for (let record = this.last; record !== undefined; record = record.before) records.push(record);
    return records.reverse();
  }

  // ---------------------------------------------------------------- leases

  /** The store of a network name; made when asked for, as host-local does. */
  leasesOf(network: string): LeaseStore {
    const known = this.stores.get(network);
    if (known !== undefined) return known;
    const made = new LeaseStore();
    this.stores.set(network, made);
    return made;
  }

  leaseNetworks(): readonly string[] {
    return [...this.stores.keys()];
  }

  // ---------------------------------------------------------------- cached results

  cacheAdd(entry: CachedAdd): void {
    const record = this.record(entry.owner);
    dropCached(record, entry.network, entry.ifName);
    entry.next = record.cached;
    record.cached = entry;
  }

  cacheGet(network: string, owner: ContainerOwner, ifName: string): CachedAdd | undefined {
    let entry = this.find(owner)?.cached;
    while (entry !== undefined && (entry.network !== network || entry.ifName !== ifName)) {
      entry = entry.next;
    }
    return entry;
  }

  cacheDelete(network: string, owner: ContainerOwner, ifName: string): void {
    const record = this.find(owner);
    if (record === undefined) return;
    dropCached(record, network, ifName);
    this.settle(record);
  }

  /** All of a container, in the order of their file names. */
  cachedOf(owner: ContainerOwner): readonly CachedAdd[] {
    return chain(this.find(owner)).sort(byFileName);
  }

  allCached(): readonly CachedAdd[] {
    return this.records().flatMap(chain).sort(byFileName);
  }

  // ---------------------------------------------------------------- as files

  list(path: string): readonly string[] | undefined {
    const [top, network] = path.split('/');
    if (path === '') return ['networks', 'results', 'flannel'];
    if (top === 'networks' && network === undefined) return this.leaseNetworks();
    if (top === 'networks' && network !== undefined) return this.stores.get(network)?.files();
    if (top === 'results') return this.resultFiles();
    return top === 'flannel' ? this.scratchFiles() : undefined;
  }

  private scratchFiles(): readonly string[] {
    return this.records()
      .filter(({ scratch }) => scratch !== undefined)
      .map((one) => one.containerId);
  }

  /** libcni caches loopback's results too, and nobody ever reads them: they are only listed. */
  private resultFiles(): readonly string[] {
    const entries = this.allCached();
    const names = entries.map(fileNameOf);
    if (!this.cachesLoopback) return names;
    const ids = new Set(entries.map((entry) => entry.containerId));
    return [...names, ...[...ids].map((id) => `cni-loopback-${id}-lo`)].sort();
  }

  read(path: string): string | undefined {
    const [top, second = '', third = ''] = path.split('/');
    if (top === 'networks') return this.stores.get(second)?.read(third);
    if (top === 'flannel') {
      const scratch = this.byId(second)?.scratch;
      return scratch === undefined ? undefined : JSON.stringify(scratch);
    }
    const entry = this.allCached().find((cached) => fileNameOf(cached) === second);
    if (top !== 'results' || entry === undefined) return undefined;
    const { containerId, ifName, network } = entry;
    return JSON.stringify({
      kind: 'cniCacheV1',
      containerId,
      ifName,
      networkName: network,
    });
  }

  write(path: string, content: string): void {
    const [top, network = '', name = ''] = path.split('/');
    if (top !== 'networks' || name === '') return;
    this.leasesOf(network).write(name, content, (id) => this.holderFor(id));
  }

  remove(path: string): void {
    const [top, second = '', third] = path.split('/');
    if (top === 'networks') {
      const store = this.stores.get(second);
      const names = third === undefined ? (store?.files() ?? []) : [third];
      for (const name of names) store?.removeFile(name, (id) => this.holderFor(id));
      if (third === undefined) this.stores.delete(second);
    }
    const record = this.byId(second);
    if (top === 'flannel' && record !== undefined) {
      record.scratch = undefined;
      this.settle(record);
    }
    if (top !== 'results') return;
    const entry = this.allCached().find((cached) => fileNameOf(cached) === second);
    if (entry !== undefined) this.cacheDelete(entry.network, entry.owner, entry.ifName);
  }

  clear(): void {
    this.stores.clear();
    for (const { owner } of this.records()) owner.record = undefined;
    this.last = undefined;
    this.orphans = 0;
  }
}

function dropCached(record: ContainerRecord, network: string, ifName: string): void {
  let before: CachedAdd | undefined;
  for (let entry = record.cached; entry !== undefined; entry = entry.next) {
    if (entry.network !== network || entry.ifName !== ifName) {
      before = entry;
      continue;
    }
    if (before === undefined) record.cached = entry.next;
    else before.next = entry.next;
  }
}

function chain(record: ContainerRecord | undefined): CachedAdd[] {
  const entries: CachedAdd[] = [];
  for (let entry = record?.cached; entry !== undefined; entry = entry.next) entries.push(entry);
  return entries;
}

function fileNameOf(entry: CachedAdd): string {
  return `${entry.network}-${entry.containerId}-${entry.ifName}`;
}

function byFileName(left: CachedAdd, right: CachedAdd): number {
  return fileNameOf(left) < fileNameOf(right) ? -1 : 1;
}
