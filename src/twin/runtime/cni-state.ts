/**
 * What CNI keeps under /var/lib/cni, in a form of its own and readable as files: host-local's leases
 * by network name, libcni's cached results, Flannel's scratch files. On a disk: it outlives pods,
 * runtimes and reboots, which is how addresses leak (truth:L02, L12, L16, L30).
 */
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { JsonObject } from '../../knowledge/go-json.ts';
import type { StateDirectory } from '../node/node-file-system.ts';
import { LeaseStore } from './lease-store.ts';
import type { Attach, CniResult } from './plugin-call.ts';

/** `results/<network>-<container>-<interface>`: a configuration and what it gave. */
export interface CachedAdd {
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
  /** The configuration as it was at ADD; CRI-O runs DEL with it. */
  readonly config: CniNetwork;
  readonly result: CniResult | undefined;
  readonly attach: Attach;
}

export class CniState implements StateDirectory {
  private readonly leases = new Map<string, LeaseStore>();
  /** By container, since a container has few and every call is about one. */
  private readonly cached = new Map<string, readonly CachedAdd[]>();
  private readonly scratch = new Map<string, JsonObject>();

  // ---------------------------------------------------------------- leases

  /** The store of a network name; made when asked for, as host-local does. */
  leasesOf(network: string): LeaseStore {
    const known = this.leases.get(network);
    if (known !== undefined) return known;
    const made = new LeaseStore();
    this.leases.set(network, made);
    return made;
  }

  leaseNetworks(): readonly string[] {
    return [...this.leases.keys()];
  }

  // ---------------------------------------------------------------- cached results

  cacheAdd(entry: CachedAdd): void {
    const before = this.cached.get(entry.containerId);
    if (before === undefined) {
      this.cached.set(entry.containerId, [entry]);
      return;
    }
    const others = before.filter(
      (other) => other.network !== entry.network || other.ifName !== entry.ifName,
    );
    this.cached.set(entry.containerId, [...others, entry]);
  }

  cacheGet(network: string, containerId: string, ifName: string): CachedAdd | undefined {
    const entries = this.cached.get(containerId);
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (entry.network === network && entry.ifName === ifName) return entry;
    }
    return undefined;
  }

  cacheDelete(network: string, containerId: string, ifName: string): void {
    const entries = this.cached.get(containerId);
    if (entries === undefined) return;
    const left = entries.filter((entry) => entry.network !== network || entry.ifName !== ifName);
    if (left.length === 0) this.cached.delete(containerId);
    else this.cached.set(containerId, left);
  }

  /** All of a container, in the order of their file names. */
  cachedOf(containerId: string): readonly CachedAdd[] {
    const entries = this.cached.get(containerId) ?? [];
    return entries.length < 2 ? entries : [...entries].sort(byFileName);
  }

  allCached(): readonly CachedAdd[] {
    return [...this.cached.values()].flat().sort(byFileName);
  }

  // ---------------------------------------------------------------- Flannel's scratch files

  saveScratch(containerId: string, delegate: JsonObject): void {
    this.scratch.set(containerId, delegate);
  }

  scratchOf(containerId: string): JsonObject | undefined {
    return this.scratch.get(containerId);
  }

  dropScratch(containerId: string): void {
    this.scratch.delete(containerId);
  }

  // ---------------------------------------------------------------- as files

  list(path: string): readonly string[] | undefined {
    const [top, network] = path.split('/');
    if (path === '') return ['networks', 'results', 'flannel'];
    if (top === 'networks' && network === undefined) return this.leaseNetworks();
    if (top === 'networks' && network !== undefined) return this.leases.get(network)?.files();
    if (top === 'results') return this.allCached().map(fileNameOf);
    return top === 'flannel' ? [...this.scratch.keys()] : undefined;
  }

  read(path: string): string | undefined {
    const [top, second = '', third = ''] = path.split('/');
    if (top === 'networks') return this.leases.get(second)?.read(third);
    if (top === 'flannel') {
      const delegate = this.scratch.get(second);
      return delegate === undefined ? undefined : JSON.stringify(delegate);
    }
    const entry = this.allCached().find((cached) => fileNameOf(cached) === second);
    if (top !== 'results' || entry === undefined) return undefined;
    const { containerId, ifName, network, attach } = entry;
    return JSON.stringify({
      kind: 'cniCacheV1',
      containerId,
      ifName,
      networkName: network,
      netns: attach.netns,
    });
  }

  write(path: string, content: string): void {
    const [top, network = '', name = ''] = path.split('/');
    if (top === 'networks' && name !== '') this.leasesOf(network).write(name, content);
  }

  remove(path: string): void {
    const [top, second = '', third] = path.split('/');
    if (top === 'networks' && third === undefined) this.leases.delete(second);
    if (top === 'networks' && third !== undefined) this.leases.get(second)?.removeFile(third);
    if (top === 'flannel') this.scratch.delete(second);
    if (top !== 'results') return;
    const entry = this.allCached().find((cached) => fileNameOf(cached) === second);
    if (entry !== undefined) this.cacheDelete(entry.network, entry.containerId, entry.ifName);
  }

  clear(): void {
    this.leases.clear();
    this.cached.clear();
    this.scratch.clear();
  }
}

function fileNameOf(entry: CachedAdd): string {
  return `${entry.network}-${entry.containerId}-${entry.ifName}`;
}

function byFileName(left: CachedAdd, right: CachedAdd): number {
  return fileNameOf(left) < fileNameOf(right) ? -1 : 1;
}
