/** The sandboxes a runtime knows, by id, and which of them is a pod's live one. */
import type { SandboxRequest } from '../world.ts';
import type { InterfaceAddress } from './go-cni.ts';

export interface Sandbox {
  readonly id: string;
  readonly request: SandboxRequest;
  /** The attempt's number in the sandbox's name. */
  readonly attempt: number;
  /** Whether its processes run. */
  ready: boolean;
  /** Path of its network namespace; empty for hostNetwork and once it is gone. */
  netns: string;
  addresses: readonly InterfaceAddress[];
  ip: string | undefined;
  plugin: string | undefined;
  networkName: string;
  defaultRoute: boolean;
  /** ADD answered with a result that had an address for eth0. */
  hasResult: boolean;
}

const ID_LENGTH = 64;
const COUNTER_LENGTH = 12;
const ZEROS = '000000000000';

export class SandboxStore {
  private readonly byId = new Map<string, Sandbox>();
  private readonly live = new Map<string, Sandbox>();
  private readonly prefix: string;
  private counter = 0;

  constructor(node: string) {
    this.prefix = hexOf(node);
  }

  /** 64 hex digits, as runtimes give them: the node's own beginning, then a counter. */
  nextId(): string {
    this.counter += 1;
    return this.prefix + (ZEROS + this.counter.toString(16)).slice(-COUNTER_LENGTH);
  }

  add(sandbox: Sandbox): void {
    this.byId.set(sandbox.id, sandbox);
    if (sandbox.ready) this.live.set(sandbox.request.podUid, sandbox);
  }

  get(id: string): Sandbox | undefined {
    return this.byId.get(id);
  }

  liveOf(podUid: string): Sandbox | undefined {
    return this.live.get(podUid);
  }

  ended(sandbox: Sandbox): void {
    sandbox.ready = false;
    if (this.live.get(sandbox.request.podUid) === sandbox) this.live.delete(sandbox.request.podUid);
  }

  delete(sandbox: Sandbox): void {
    this.ended(sandbox);
    this.byId.delete(sandbox.id);
  }

  all(): Iterable<Sandbox> {
    return this.byId.values();
  }

  endAll(): void {
    for (const sandbox of this.byId.values()) {
      sandbox.ready = false;
      sandbox.netns = '';
    }
    this.live.clear();
  }
}

/** FNV-1a over and over: stable, and different from node to node. */
function hexOf(text: string): string {
  let hash = 0x811c9dc5;
  let out = '';
  while (out.length < ID_LENGTH - COUNTER_LENGTH) {
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
    }
    hash = Math.imul(hash ^ out.length, 0x01000193) >>> 0;
    out += hash.toString(16).padStart(8, '0');
  }
  return out.slice(0, ID_LENGTH - COUNTER_LENGTH);
}
