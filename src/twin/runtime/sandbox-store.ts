/** The sandboxes a runtime knows, by id, and which of them is a pod's live one. */
import type { SandboxRequest } from '../world.ts';
import type { JsonObject } from '../../knowledge/go-json.ts';
import type { CachedAdd, Container } from './cni-state.ts';
import type { Lease } from './lease-store.ts';
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { InterfaceAddress } from './go-cni.ts';

export class Sandbox implements Container {
  /**
   * What clients are given: the end of the id, as people use it too; containerd and CRI-O find a
   * sandbox by any part of its id that is one sandbox's only. Short, so that no text has to be put
   * together for each.
   */
  readonly handle: string;
  readonly request: SandboxRequest;
  /** The attempt's number in the sandbox's name. */
  readonly attempt: number;
  /** The number that its id ends with. */
  readonly serial: number;
  leases: Lease | undefined = undefined;
  cached: CachedAdd | undefined = undefined;
  scratch: JsonObject | undefined = undefined;
  kept = false;
  before: Container | undefined = undefined;
  after: Container | undefined = undefined;
  /** Whether its processes run. */
  ready = false;
  /** Its network namespace is there; never for hostNetwork. */
  hasNetns: boolean;
  /** eth0's first address. */
  ip: string | undefined = undefined;
  /** All addresses, when there are others than eth0's one. */
  others: readonly InterfaceAddress[] | undefined = undefined;
  /** The network that gave eth0. */
  network: CniNetwork | undefined = undefined;
  defaultRoute = false;
  /** ADD answered with a result that had an address for eth0. */
  hasResult = false;
  private readonly prefix: string;

  constructor(store: SandboxStore, request: SandboxRequest, attempt: number) {
    this.handle = store.nextHandle();
    this.serial = store.counter;
    this.prefix = store.prefix;
    this.request = request;
    this.attempt = attempt;
    this.hasNetns = !request.hostNetwork;
  }

  /** 64 hex digits, as runtimes give them. */
  get id(): string {
    return this.prefix + this.handle;
  }
}

const ID_LENGTH = 64;
const HANDLE_LENGTH = 12;
/** As many digits as a small integer has room for. */
const SERIAL_LENGTH = 7;
const LOW = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/**
 * Names are unique through the pod's UID and the attempt; a first attempt's is the UID alone. Who has
 * a name need not be a sandbox yet, or any more.
 */
export class SandboxStore {
  private readonly bySerial = new Map<number, Sandbox>();
  private readonly names = new Map<string, Sandbox>();
  /** Live sandboxes of later attempts, by pod UID. */
  private readonly later = new Map<string, Sandbox>();
  /** What the ids of the node begin with. */
  readonly prefix: string;
  /** The number of the last sandbox. */
  counter = 0;
  private high = '';

  constructor(node: string) {
    this.prefix = hexOf(node);
  }

  /** The end of the next id. */
  nextHandle(): string {
    this.counter += 1;
    const low = this.counter & 0xff;
    if (low === 0 || this.high === '') {
      this.high = Math.floor(this.counter / 256)
        .toString(16)
        .padStart(HANDLE_LENGTH - 2, '0');
    }
    return this.high + (LOW[low] ?? '');
  }

  holderOf(request: SandboxRequest, attempt: number): Sandbox | undefined {
    return this.names.get(nameKey(request, attempt));
  }

  reserve(sandbox: Sandbox): void {
    this.names.set(nameKey(sandbox.request, sandbox.attempt), sandbox);
  }

  release(sandbox: Sandbox): void {
    const key = nameKey(sandbox.request, sandbox.attempt);
    if (this.names.get(key) === sandbox) this.names.delete(key);
  }

  /** Takes back the names of what never became a sandbox. */
  releaseUnfinished(): void {
    for (const [key, sandbox] of this.names) {
      if (!this.bySerial.has(sandbox.serial)) this.names.delete(key);
    }
  }

  add(sandbox: Sandbox): void {
    this.bySerial.set(sandbox.serial, sandbox);
    if (sandbox.ready && sandbox.attempt > 0) this.later.set(sandbox.request.podUid, sandbox);
  }

  /** By its handle, or by its id. */
  get(id: string): Sandbox | undefined {
    const found = this.bySerial.get(serialOf(id));
    return found !== undefined && (found.handle === id || found.id === id) ? found : undefined;
  }

  liveOf(podUid: string): Sandbox | undefined {
    const first = this.names.get(podUid);
    if (first?.ready === true) return first;
    return this.later.size === 0 ? undefined : this.later.get(podUid);
  }

  ended(sandbox: Sandbox): void {
    sandbox.ready = false;
    if (sandbox.attempt > 0 && this.later.get(sandbox.request.podUid) === sandbox) {
      this.later.delete(sandbox.request.podUid);
    }
  }

  delete(sandbox: Sandbox): void {
    this.ended(sandbox);
    this.bySerial.delete(sandbox.serial);
  }

  all(): Iterable<Sandbox> {
    return this.bySerial.values();
  }

  endAll(): void {
    for (const sandbox of this.bySerial.values()) {
      sandbox.ready = false;
      sandbox.hasNetns = false;
    }
    this.later.clear();
  }
}

function nameKey(request: SandboxRequest, attempt: number): string {
  return attempt === 0 ? request.podUid : `${request.podUid}_${attempt}`;
}

/** The number at the end of an id; of any other text, some number. */
function serialOf(id: string): number {
  let serial = 0;
  for (let index = Math.max(0, id.length - SERIAL_LENGTH); index < id.length; index += 1) {
    const code = id.charCodeAt(index);
    serial = (serial << 4) | (code > 57 ? code - 87 : code - 48);
  }
  return serial;
}

/** FNV-1a over and over: stable, and different from node to node. */
function hexOf(text: string): string {
  let hash = 0x811c9dc5;
  let out = '';
  while (out.length < ID_LENGTH - HANDLE_LENGTH) {
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
    }
    hash = Math.imul(hash ^ out.length, 0x01000193) >>> 0;
    out += hash.toString(16).padStart(8, '0');
  }
  return out.slice(0, ID_LENGTH - HANDLE_LENGTH);
}
