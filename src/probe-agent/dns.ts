/**
 * Questions to the resolver of /etc/resolv.conf, each a packet of its own (RFC 1035), never asked
 * twice. The socket is another one now and then, so that flows are new as those of workloads are.
 */
import { DueAnswers } from './due-answers.ts';
import { codeOf, connectUdp, readNow, type UdpHandle, writeNow } from './handles.ts';
import type { Sender } from './senders.ts';
import type { Track } from './track.ts';

const PORT = 53;
/** A socket asks so many questions, and for no longer than this. */
const QUESTIONS = 20;
const SOCKET_MS = 5_000;
const ASKED_MAX = 256;
/** What an answer says (RFC 1035 4.1.1): 0 and 3 (no such name) are answers. */
const REASONS: Readonly<Record<number, string>> = { 1: 'FORMERR', 2: 'SERVFAIL', 5: 'REFUSED' };

const received = Buffer.alloc(2_048);

export class Resolver {
  private readonly server: string;
  private handle: UdpHandle | undefined;
  /** The one before, for what is on its way to it. */
  private before: UdpHandle | undefined;
  private madeAt = 0;
  private questions = 0;
  private nextId = 1;
  private readonly asked = new Map<number, { readonly track: Track; readonly number: number }>();

  constructor(server: string) {
    this.server = server;
  }

  /** The question is changed: its id is filled in. */
  ask(question: Buffer, track: Track, now: number): void {
    const id = this.nextId;
    this.nextId = (this.nextId % 0xffff) + 1;
    this.asked.set(id, { track, number: track.sending(now) });
    if (this.asked.size > ASKED_MAX)
      for (const old of [...this.asked.keys()].slice(0, ASKED_MAX / 2)) this.asked.delete(old);
    question.writeUInt16BE(id, 0);
    const handle = this.fresh(now);
    const failure = handle === undefined ? 'no route' : writeNow(handle.fd, question);
    if (failure !== '') track.refused(failure);
  }

  /** One answer, of whichever track; whether one had come. */
  receive(now: number): boolean {
    return this.receiveFrom(this.handle, now) || this.receiveFrom(this.before, now);
  }

  close(): void {
    this.handle?.close();
    this.before?.close();
    this.handle = undefined;
    this.before = undefined;
  }

  private fresh(now: number): UdpHandle | undefined {
    const isNew = this.questions < QUESTIONS && now - this.madeAt < SOCKET_MS;
    this.questions += 1;
    if (isNew && this.handle !== undefined) return this.handle;
    this.before?.close();
    this.before = this.handle;
    this.madeAt = now;
    this.questions = 1;
    this.handle = connectUdp(this.server, PORT);
    return this.handle;
  }

  private receiveFrom(handle: UdpHandle | undefined, now: number): boolean {
    if (handle === undefined) return false;
    try {
      const length = readNow(handle.fd, received);
      if (length >= HEADER_BYTES) this.take(now);
      return length >= 0;
    } catch (error) {
      for (const { track } of this.asked.values()) track.refused(codeOf(error));
      return true;
    }
  }

  private take(now: number): void {
    const id = received.readUInt16BE(0);
    const asked = this.asked.get(id);
    if (asked === undefined) return;
    this.asked.delete(id);
    const code = (received[3] ?? 0) & 0x0f;
    if (code === 0 || code === 3) asked.track.answered(asked.number, now);
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
  const due = new DueAnswers();
  return {
    track,
    every,
    phase,
    isShared: true,
    send: (now) => resolver.ask(question, track, now),
    receive(now) {
      if (!due.isDue(track, now)) return;
      if (resolver.receive(now)) due.came();
      else due.cameNot();
    },
    isConnecting: () => false,
    close: () => undefined,
  };
}
