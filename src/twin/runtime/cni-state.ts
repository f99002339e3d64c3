/**
 * What CNI keeps under /var/lib/cni, in a form of its own and readable as files: host-local's leases
 * by network name, libcni's cached results, Flannel's scratch files. On a disk: it outlives pods,
 * runtimes and reboots, which is how addresses leak (truth:L02, L12, L16, L30).
 */
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { JsonObject } from '../../knowledge/go-json.ts';
import type { StateDirectory } from '../node/state-directory.ts';
import type { SandboxRequest } from '../world.ts';
import { type Lease, LeaseStore } from './lease-store.ts';
import type { CniResult } from './plugin-call.ts';

/** `results/<network>-<container>-<interface>`: a configuration and what it gave. */
export interface CachedAdd {
  /** What was answered to the ADD. */
  readonly ok: true;
  readonly container: Container;
  readonly ifName: string;
  /** The configuration as it was at ADD; CRI-O runs DEL with it. */
  readonly config: CniNetwork;
  readonly result: CniResult | undefined;
  next: CachedAdd | undefined;
}

/**
 * All that CNI keeps of one container. A sandbox is one, so that no call has to look for what it is
 * about; one that was removed stays in the chain as long as something is kept of it.
 */
export interface Container {
  readonly id: string;
  /** The pod it is for; nobody's when only files tell of it. */
  readonly request: SandboxRequest;
  leases: Lease | undefined;
  cached: CachedAdd | undefined;
  /** Flannel's: the delegate's configuration. */
  scratch: JsonObject | undefined;
  /** Whether it is in the chain of those that something is kept of, and its neighbours there. */
  kept: boolean;
  before: Container | undefined;
  after: Container | undefined;
}

const NOBODY: SandboxRequest = {
  podUid: '',
  namespace: '',
  name: '',
  hostNetwork: false,
  hostPorts: [],
};

/** A container of which nothing is kept yet. */
export function emptyContainer(id: string): Container {
  return {
    id,
    request: NOBODY,
    leases: undefined,
    cached: undefined,
    scratch: undefined,
    kept: false,
    before: undefined,
    after: undefined,
  };
}

export class CniState implements StateDirectory {
  /** The runtime calls the loopback plugin through libcni. */
  cachesLoopback = false;
  private readonly stores = new Map<string, LeaseStore>();
  /** The store that was asked for last, which is mostly the next one too. */
  private recent: LeaseStore | undefined;
  /** The last of the chain. */
  private last: Container | undefined;
  /** Containers that files were written for by hand, and no sandbox has taken over. */
  private orphans = 0;

  // ---------------------------------------------------------------- containers

  /** Before something is kept of a container. */
  keep(container: Container): void {
    if (container.kept) return;
    this.know(container);
    const before = this.last;
    container.kept = true;
    container.before = before;
    container.after = undefined;
    if (before !== undefined) before.after = container;
    this.last = container;
  }

  /** Before what is kept of a container is looked at: files may have been written for its id. */
  know(container: Container): void {
    if (this.orphans === 0 || container.kept) return;
    const orphan = this.byId(container.id);
    if (orphan === undefined) return;
    container.leases = orphan.leases;
    for (let lease = orphan.leases; lease !== undefined; lease = lease.next) {
      lease.holder = container;
    }
    orphan.leases = undefined;
    this.settle(orphan);
    this.orphans -= 1;
    this.keep(container);
  }

  /** Forgets a container that nothing is kept of any more. */
  settle(container: Container): void {
    if (!container.kept || (container.leases ?? container.cached ?? container.scratch)) return;
    const { before, after } = container;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    else this.last = before;
    container.kept = false;
    container.before = undefined;
    container.after = undefined;
  }

  /** For files, which name a container by its id; looks through all. */
  private byId(id: string): Container | undefined {
    return this.all().find((container) => container.id === id);
  }

  private holderFor(id: string): Container {
    const known = this.byId(id);
    if (known !== undefined) return known;
    const orphan = emptyContainer(id);
    this.keep(orphan);
    this.orphans += 1;
    return orphan;
  }

  private all(): readonly Container[] {
    const all: Container[] = [];
    for (let one = this.last; one !== undefined; one = one.before) all.push(one);
    return all.toReversed();
  }

  // ---------------------------------------------------------------- leases

  /** The store of a network name; made when asked for, as host-local does. */
  leasesOf(network: string): LeaseStore {
    const { recent } = this;
    if (recent?.network === network) return recent;
    const store = this.stores.get(network) ?? new LeaseStore(network);
    this.stores.set(network, store);
    this.recent = store;
    return store;
  }

  private dropStore(network: string): void {
    this.stores.delete(network);
    this.recent = undefined;
  }

  leaseNetworks(): readonly string[] {
    return [...this.stores.keys()];
  }

  // ---------------------------------------------------------------- cached results

  cacheAdd(entry: CachedAdd): void {
    const { container } = entry;
    this.keep(container);
    if (container.cached !== undefined) {
      dropCached(container, entry.config.name, entry.ifName);
    }
    entry.next = container.cached;
    container.cached = entry;
  }

  cacheGet(network: string, container: Container, ifName: string): CachedAdd | undefined {
    let entry = container.cached;
    while (entry !== undefined && (entry.config.name !== network || entry.ifName !== ifName)) {
      entry = entry.next;
    }
    return entry;
  }

  cacheDelete(network: string, container: Container, ifName: string): void {
    dropCached(container, network, ifName);
    this.settle(container);
  }

  /** All of a container, in the order of their file names. */
  cachedOf(container: Container): readonly CachedAdd[] {
    return chain(container).sort(byFileName);
  }

  allCached(): readonly CachedAdd[] {
    return this.all().flatMap(chain).sort(byFileName);
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
    return this.all()
      .filter(({ scratch }) => scratch !== undefined)
      .map(({ id }) => id);
  }

  /** libcni caches loopback's results too, and nobody ever reads them: they are only listed. */
  private resultFiles(): readonly string[] {
    const entries = this.allCached();
    const names = entries.map(fileNameOf);
    if (!this.cachesLoopback) return names;
    const ids = new Set(entries.map(({ container }) => container.id));
    return [...names, ...[...ids].map((id) => `cni-loopback-${id}-lo`)].sort();
  }

  read(path: string): string | undefined {
    const [top, second = '', third = ''] = path.split('/');
    if (top === 'networks') return this.stores.get(second)?.read(third);
    if (top === 'flannel') {
      const scratch = this.byId(second)?.scratch;
      return scratch === undefined ? undefined : JSON.stringify(scratch);
    }
    const entry = top === 'results' ? this.cachedIn(second) : undefined;
    if (entry === undefined) return undefined;
    const { container, ifName, config } = entry;
    return JSON.stringify({
      kind: 'cniCacheV1',
      containerId: container.id,
      ifName,
      networkName: config.name,
    });
  }

  /** A file's name tells its container: nothing is put in order, or into a name, for the others. */
  private cachedIn(file: string): CachedAdd | undefined {
    for (const container of this.all()) {
      if (!file.includes(container.id)) continue;
      const entry = chain(container).find((cached) => fileNameOf(cached) === file);
      if (entry !== undefined) return entry;
    }
    return undefined;
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
      for (const name of names) store?.removeFile(name);
      if (third === undefined) this.dropStore(second);
    }
    const container = this.byId(second);
    if (top === 'flannel' && container !== undefined) {
      container.scratch = undefined;
      this.settle(container);
    }
    if (top !== 'results') return;
    const entry = this.cachedIn(second);
    if (entry !== undefined) this.cacheDelete(entry.config.name, entry.container, entry.ifName);
  }

  clear(): void {
    this.stores.clear();
    this.recent = undefined;
    for (const container of this.all()) {
      container.leases = undefined;
      container.cached = undefined;
      container.scratch = undefined;
      this.settle(container);
    }
    this.orphans = 0;
  }
}

function dropCached(container: Container, network: string, ifName: string): void {
  let before: CachedAdd | undefined;
  for (let entry = container.cached; entry !== undefined; entry = entry.next) {
    if (entry.config.name !== network || entry.ifName !== ifName) {
      before = entry;
      continue;
    }
    if (before === undefined) container.cached = entry.next;
    else before.next = entry.next;
  }
}

function chain(container: Container): CachedAdd[] {
  const entries: CachedAdd[] = [];
  for (let entry = container.cached; entry !== undefined; entry = entry.next) entries.push(entry);
  return entries;
}

function fileNameOf(entry: CachedAdd): string {
  return `${entry.config.name}-${entry.container.id}-${entry.ifName}`;
}

function byFileName(left: CachedAdd, right: CachedAdd): number {
  return fileNameOf(left) < fileNameOf(right) ? -1 : 1;
}
