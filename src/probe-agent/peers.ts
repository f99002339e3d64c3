/**
 * Where the peers' pods are, without the API server and without the pod network: nodes keep their
 * addresses, so each host agent asks those of its peers, and tells its own pod agent. What changes is
 * told at once: a pod that comes back under another address must not look lost for longer.
 */
import { DATAGRAM, type Datagrams } from './datagram.ts';

/** Between two questions where nothing changes. */
const ASK_MS = 1_000;
/** Whoever asked within this time is told of changes. */
const INTEREST_MS = 5_000;

/** Addresses of pods by their nodes; null where the node's host agent knows of none now. */
export type PodAddresses = Readonly<Record<string, string | null>>;

/** On the host: knows its own pod by what that says, and those of peers by asking. */
export class HostDirectory {
  private readonly datagrams: Datagrams;
  private own: { readonly address: string; at: number } | undefined;
  private readonly askers = new Map<string, number>();
  private readonly known = new Map<string, string | null>();
  private readonly changed: () => void;
  private askedAt = -Infinity;

  constructor(datagrams: Datagrams, changed: () => void) {
    this.datagrams = datagrams;
    this.changed = changed;
  }

  get ownPod(): string | undefined {
    return this.own?.address;
  }

  podOn(node: string): string | undefined {
    return this.known.get(node) ?? undefined;
  }

  tick(now: number, peers: ReadonlyMap<string, string>): void {
    if (now - this.askedAt < ASK_MS) return;
    this.askedAt = now;
    for (const node of this.known.keys()) if (!peers.has(node)) this.known.delete(node);
    for (const address of peers.values()) this.datagrams.say(DATAGRAM.ask, '', address);
  }

  /** `nodeAt` tells the peer by its address. */
  message(
    kind: number,
    text: string,
    from: string,
    { now, nodeAt }: { readonly now: number; nodeAt(address: string): string | undefined },
  ): void {
    if (kind === DATAGRAM.hello) this.hello(text, now);
    else if (kind === DATAGRAM.ask) {
      this.askers.set(from, now);
      this.tell(from);
    } else if (kind === DATAGRAM.tell) {
      const node = nodeAt(from);
      if (node === undefined) return;
      const address = text === '' ? null : text;
      if (this.known.get(node) === address) return;
      this.known.set(node, address);
      this.changed();
      this.answerPod();
    }
  }

  private hello(address: string, now: number): void {
    const isNew = this.own?.address !== address;
    this.own = { address, at: now };
    this.answerPod();
    if (!isNew) return;
    this.changed();
    for (const [asker, at] of this.askers) {
      if (now - at > INTEREST_MS) this.askers.delete(asker);
      else this.tell(asker);
    }
  }

  private tell(asker: string): void {
    this.datagrams.say(DATAGRAM.tell, this.own?.address ?? '', asker);
  }

  private answerPod(): void {
    if (this.own === undefined) return;
    this.datagrams.say(
      DATAGRAM.peers,
      JSON.stringify(Object.fromEntries(this.known)),
      this.own.address,
    );
  }
}

/** In the pod: says its address to its own host, and hears of the others. */
export class PodDirectory {
  private readonly datagrams: Datagrams;
  private readonly own: string;
  private known: PodAddresses = {};
  private readonly changed: () => void;
  private saidAt = -Infinity;

  constructor(datagrams: Datagrams, own: string, changed: () => void) {
    this.datagrams = datagrams;
    this.own = own;
    this.changed = changed;
  }

  podOn(node: string): string | undefined {
    return this.known[node] ?? undefined;
  }

  tick(now: number, host: string | undefined): void {
    if (host === undefined || now - this.saidAt < ASK_MS) return;
    this.saidAt = now;
    this.datagrams.say(DATAGRAM.hello, this.own, host);
  }

  message(kind: number, text: string): void {
    if (kind !== DATAGRAM.peers) return;
    const known = parseAddresses(text);
    if (known === undefined) return;
    this.known = known;
    this.changed();
  }
}

function parseAddresses(text: string): PodAddresses | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    // Between agents of one version; anything else has no addresses that match a node.
    return typeof parsed === 'object' && parsed !== null ? (parsed as PodAddresses) : undefined;
  } catch {
    return undefined;
  }
}
