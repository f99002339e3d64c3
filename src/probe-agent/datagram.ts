/**
 * Datagrams between agents: twelve bytes (mark, kind, track, number, the sender's start), then text.
 * One socket sends, echoes and asks, so that a burst of them costs one wake-up.
 */
import { createSocket, type Socket } from 'node:dgram';

const MARK = 0x52;
const HEADER_BYTES = 12;

export const DATAGRAM = { ping: 1, pong: 2, hello: 3, peers: 4, ask: 5, tell: 6 } as const;

/** A datagram may still wait in the kernel's queue when the next is made. */
const BUFFERS = 64;
const BUFFER_BYTES = 256;

export interface DatagramHandlers {
  pong(track: number, number: number, source: string, now: number): void;
  /** Anything between agents that is no ping; `text` is JSON. */
  message(kind: number, text: string, address: string): void;
  failed(error: Error): void;
}

export interface DatagramOptions {
  readonly address: string;
  readonly port: number;
  readonly boot: number;
  readonly isIpv6: boolean;
  readonly handlers: DatagramHandlers;
}

export class Datagrams {
  private readonly socket: Socket;
  private readonly options: DatagramOptions;
  private readonly buffers: Buffer[];
  private used = 0;

  constructor(options: DatagramOptions) {
    this.options = options;
    this.buffers = Array.from({ length: BUFFERS }, () => Buffer.alloc(BUFFER_BYTES));
    this.socket = createSocket({
      type: options.isIpv6 ? 'udp6' : 'udp4',
      // Addresses are numbers already; the resolver would be asked for each datagram.
      lookup: (host, _options, found) => found(null, host, options.isIpv6 ? 6 : 4),
    });
    this.socket.on('message', (datagram, { address, port }) =>
      this.received(datagram, address, port),
    );
    this.socket.on('error', (error) => options.handlers.failed(error));
  }

  open(done: () => void): void {
    this.socket.bind(this.options.port, this.options.address, done);
  }

  /** `bytes` beyond the header are zero: a datagram of a certain size. */
  ping(track: number, number: number, address: string, bytes = HEADER_BYTES): void {
    const datagram = bytes > BUFFER_BYTES ? Buffer.alloc(bytes) : this.buffer();
    this.header(datagram, DATAGRAM.ping, track, number);
    this.send(datagram.subarray(0, bytes), this.options.port, address);
  }

  say(kind: number, text: string, address: string): void {
    const datagram = Buffer.alloc(HEADER_BYTES + Buffer.byteLength(text));
    this.header(datagram, kind, 0, 0);
    datagram.write(text, HEADER_BYTES);
    this.send(datagram, this.options.port, address);
  }

  close(): void {
    this.socket.close();
  }

  private received(datagram: Buffer, address: string, port: number): void {
    if (datagram.length < HEADER_BYTES || datagram[0] !== MARK) return;
    const kind = datagram[1];
    if (kind === DATAGRAM.ping) this.echo(datagram, address, port);
    else if (kind === DATAGRAM.pong) this.pong(datagram);
    else if (kind !== undefined)
      this.options.handlers.message(kind, datagram.toString('utf8', HEADER_BYTES), address);
  }

  /** As long as what came: the way back is of the same size. */
  private echo(ping: Buffer, address: string, port: number): void {
    const length = Math.max(ping.length, HEADER_BYTES + address.length);
    const datagram = length > BUFFER_BYTES ? Buffer.alloc(length) : this.buffer();
    ping.copy(datagram, 0, 0, HEADER_BYTES);
    datagram[1] = DATAGRAM.pong;
    datagram.fill(0, HEADER_BYTES, length);
    datagram.write(address, HEADER_BYTES, 'latin1');
    this.send(datagram.subarray(0, length), port, address);
  }

  private pong(datagram: Buffer): void {
    if (datagram.readUInt32BE(8) !== this.options.boot) return;
    let end = HEADER_BYTES;
    while (end < datagram.length && datagram[end] !== 0) end += 1;
    const source = datagram.toString('latin1', HEADER_BYTES, end);
    const { handlers } = this.options;
    handlers.pong(datagram.readUInt16BE(2), datagram.readUInt32BE(4), source, performance.now());
  }

  private header(datagram: Buffer, kind: number, track: number, number: number): void {
    datagram[0] = MARK;
    datagram[1] = kind;
    datagram.writeUInt16BE(track, 2);
    datagram.writeUInt32BE(number, 4);
    datagram.writeUInt32BE(this.options.boot, 8);
  }

  private send(datagram: Buffer, port: number, address: string): void {
    // No route, a full queue: the sample stays unanswered, which is all there is to say.
    this.socket.send(datagram, port, address, ignored);
  }

  private buffer(): Buffer {
    this.used = (this.used + 1) % BUFFERS;
    return this.buffers[this.used] ?? Buffer.alloc(BUFFER_BYTES);
  }
}

function ignored(): void {
  // Told by what is not answered.
}
