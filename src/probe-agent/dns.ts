/**
 * Questions to the resolver of /etc/resolv.conf, each a packet of its own (RFC 1035), never asked
 * twice. The socket is another one each second, so that flows are new as those of workloads are.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { Sender } from './senders.ts';
import type { Track } from './track.ts';

const PORT = 53;
const SOCKET_MS = 1_000;
/** What an answer says (RFC 1035 4.1.1): 0 and 3 (no such name) are answers. */
const REASONS: Readonly<Record<number, string>> = { 1: 'FORMERR', 2: 'SERVFAIL', 5: 'REFUSED' };

export class Resolver {
  private readonly server: string;
  private socket: Socket | undefined;
  private before: Socket | undefined;
  private madeAt = 0;
  private nextId = 1;
  private readonly asked = new Map<number, { readonly track: Track; readonly number: number }>();

  constructor(server: string) {
    this.server = server;
  }

  ask(question: Buffer, track: Track, number: number, now: number): void {
    const id = this.nextId;
    this.nextId = (this.nextId % 0xffff) + 1;
    this.asked.set(id, { track, number });
    if (this.asked.size > 256)
      for (const old of [...this.asked.keys()].slice(0, 128)) this.asked.delete(old);
    const packet = Buffer.from(question);
    packet.writeUInt16BE(id, 0);
    this.fresh(now).send(packet, PORT, this.server, () => undefined);
  }

  close(): void {
    this.socket?.close();
    this.before?.close();
    this.socket = undefined;
    this.before = undefined;
  }

  private fresh(now: number): Socket {
    if (this.socket !== undefined && now - this.madeAt < SOCKET_MS) return this.socket;
    this.before?.close();
    this.before = this.socket;
    this.madeAt = now;
    const isIpv6 = this.server.includes(':');
    const socket = createSocket({
      type: isIpv6 ? 'udp6' : 'udp4',
      lookup: (host, _options, found) => found(null, host, isIpv6 ? 6 : 4),
    });
    socket.on('message', (packet) => this.received(packet));
    socket.on('error', () => undefined);
    this.socket = socket;
    return socket;
  }

  private received(packet: Buffer): void {
    if (packet.length < HEADER_BYTES) return;
    const id = packet.readUInt16BE(0);
    const asked = this.asked.get(id);
    if (asked === undefined) return;
    this.asked.delete(id);
    const code = (packet[3] ?? 0) & 0x0f;
    if (code === 0 || code === 3) asked.track.answered(asked.number, performance.now());
    else asked.track.refused(REASONS[code] ?? `DNS answer with code ${code}`);
  }
}

const HEADER_BYTES = 12;

/** A question for an address (A), recursion desired; the id is filled in for each. */
export function questionFor(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const header = Buffer.of(0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, 1, 0, 1)]);
}

export interface ResolvConf {
  readonly server: string | undefined;
  /** `cluster.local`, from the search list of a pod. */
  readonly domain: string | undefined;
}

export function parseResolvConf(text: string): ResolvConf {
  const server = /^\s*nameserver\s+(\S+)/m.exec(text)?.[1];
  const search = /^\s*search\s+(.+)$/m.exec(text)?.[1] ?? '';
  const domain = /(?:^|\s)svc\.(\S+)/.exec(search)?.[1];
  return { server, domain };
}

export interface NameOptions {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly resolver: Resolver;
  readonly name: string;
}

export function nameSender({ track, every, phase, resolver, name }: NameOptions): Sender {
  const question = questionFor(name);
  return {
    track,
    every,
    phase,
    isShared: true,
    send: (now) => resolver.ask(question, track, track.sending(now), now),
    tick: () => undefined,
    close: () => undefined,
  };
}
