/**
 * Datagrams between agents: twelve bytes (mark, kind, track, number, the sender's start), then text.
 * Pings leave from a connected socket for each target, so that their answers are read without the
 * event loop; one socket with the agent's port echoes, asks and tells.
 */
import { DueAnswers } from './due-answers.ts';
import {
  bindUdp,
  codeOf,
  connectUdp,
  readNow,
  receiveFrom,
  sendTo,
  type UdpHandle,
  writeNow,
} from './handles.ts';
import type { Sender, SenderOptions } from './senders.ts';
import type { Track } from './track.ts';

const MARK = 0x52;
const HEADER_BYTES = 12;
/** A ping has room for the answer: the address that was seen, and how long the other end stood still. */
const PING_BYTES = 64;
const ADDRESS_AT = HEADER_BYTES + 4;

export const DATAGRAM = { ping: 1, pong: 2, hello: 3, peers: 4, ask: 5, tell: 6 } as const;

export interface DatagramOptions {
  readonly address: string;
  readonly port: number;
  readonly boot: number;
  /** How long this agent stood still before now: what it answers has waited for as long (milliseconds). */
  stoodMs(): number;
  /** Anything between agents that is no ping; `text` is JSON. */
  message(kind: number, text: string, address: string): void;
}

/** The socket with the agent's port. */
export class Datagrams {
  private readonly handle: UdpHandle;
  private readonly options: DatagramOptions;

  constructor(options: DatagramOptions) {
    this.options = options;
    this.handle = bindUdp(options.address, options.port);
    receiveFrom(this.handle, (length, bytes, from) => {
      if (length >= HEADER_BYTES && bytes?.[0] === MARK)
        this.received(bytes, from.address, from.port);
    });
  }

  say(kind: number, text: string, address: string): void {
    const datagram = Buffer.alloc(HEADER_BYTES + Buffer.byteLength(text));
    header(datagram, kind, 0, this.options.boot);
    datagram.write(text, HEADER_BYTES);
    sendTo(this.handle, datagram, this.options.port, address);
  }

  close(): void {
    this.handle.close();
  }

  private received(datagram: Buffer, address: string, port: number): void {
    const kind = datagram[1];
    if (kind === DATAGRAM.ping) this.echo(datagram, address, port);
    else if (kind !== undefined && kind !== DATAGRAM.pong)
      this.options.message(kind, datagram.toString('utf8', HEADER_BYTES), address);
  }

  /** As long as what came: the way back is of the same size. */
  private echo(ping: Buffer, address: string, port: number): void {
    if (ping.length < PING_BYTES) return;
    ping[1] = DATAGRAM.pong;
    ping.writeUInt32BE(this.options.stoodMs(), HEADER_BYTES);
    ping.write(address, ADDRESS_AT, 'latin1');
    sendTo(this.handle, ping, port, address);
  }
}

/** Both kinds of a path share one. */
const received = Buffer.alloc(9_216);
/** In one tick: what a peer that stood still answers all at once is read in a few. */
const ANSWERS_MAX = 32;

export class PingSender implements Sender {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  private readonly target: SenderOptions['target'];
  private readonly from: string;
  private readonly boot: number;
  private readonly ping: Buffer;
  private handle: UdpHandle | undefined;
  private readonly due = new DueAnswers();

  /** `bytes` in all, without the headers of UDP and IP. */
  constructor(
    options: SenderOptions,
    { address, boot }: { readonly address: string; readonly boot: number },
    bytes = PING_BYTES,
  ) {
    this.from = address;
    this.track = options.track;
    this.every = options.every;
    this.phase = options.phase;
    this.isShared = options.isShared;
    this.target = options.target;
    this.boot = boot;
    this.ping = Buffer.alloc(Math.max(bytes, PING_BYTES));
    header(this.ping, DATAGRAM.ping, 0, boot);
  }

  send(now: number): void {
    const number = this.track.sending(now);
    this.ping.writeUInt32BE(number, 4);
    this.handle ??= connectUdp(this.target.host, this.target.port, this.from);
    if (this.handle === undefined) {
      this.track.refused('no route');
      return;
    }
    const failure = writeNow(this.handle.fd, this.ping);
    if (failure === '') return;
    // What the kernel was told of an earlier datagram takes the place of this one.
    this.track.refused(failure);
    writeNow(this.handle.fd, this.ping);
  }

  receive(now: number): void {
    const { handle, track, due } = this;
    if (handle === undefined) return;
    for (let left = ANSWERS_MAX; left > 0 && due.isDue(track, now); left -= 1)
      if (!this.receiveOne(handle.fd, now)) return;
  }

  isConnecting(): boolean {
    return false;
  }

  close(): void {
    this.handle?.close();
    this.handle = undefined;
  }

  private receiveOne(fd: number, now: number): boolean {
    try {
      const length = readNow(fd, received);
      if (length < 0) {
        this.due.cameNot();
        return false;
      }
      this.due.came();
      if (length >= PING_BYTES) this.answered(length, now);
    } catch (error) {
      this.track.refused(codeOf(error));
    }
    return true;
  }

  private answered(length: number, now: number): void {
    if (received[1] !== DATAGRAM.pong || received.readUInt32BE(8) !== this.boot) return;
    this.track.answered(received.readUInt32BE(4), now, received.readUInt32BE(HEADER_BYTES));
    const { source } = this.track;
    if (source !== undefined && isAt(source, length)) return;
    let end = ADDRESS_AT;
    while (end < length && received[end] !== 0) end += 1;
    this.track.source = received.toString('latin1', ADDRESS_AT, end);
  }
}

/** Whether the answer tells the same address as those before. */
function isAt(source: string, length: number): boolean {
  if (ADDRESS_AT + source.length < length && received[ADDRESS_AT + source.length] !== 0)
    return false;
  for (let index = 0; index < source.length; index += 1)
    if (received[ADDRESS_AT + index] !== source.charCodeAt(index)) return false;
  return true;
}

function header(datagram: Buffer, kind: number, number: number, boot: number): void {
  datagram[0] = MARK;
  datagram[1] = kind;
  datagram.writeUInt32BE(number, 4);
  datagram.writeUInt32BE(boot, 8);
}
