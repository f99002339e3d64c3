/**
 * What agents connect to: frames come back with how long this agent stood still, and a GET gets 4 KiB
 * and who asked. A connection is read when its next frame is due, since to look in vain costs more than
 * to read.
 */
import { nextFramesAt } from './due-answers.ts';
import { listen, readNow, type TcpHandle, writeNow } from './handles.ts';
import { FRAME_BYTES } from './senders.ts';

/** Three segments of full size on any usual link. */
const BODY_BYTES = 4_096;
/** A peer's agent holds one connection for each of its paths here, and each new sample is one for a moment. */
const CLIENTS_MAX = 512;
/** Whoever says nothing for so long is not asked to stay. */
const SILENT_MS = 30_000;
const GET_FIRST_BYTE = 'G'.charCodeAt(0);

const received = Buffer.alloc(2_048);

interface Client {
  readonly handle: TcpHandle;
  /** When there is something to read, as far as is known; and when there last was. */
  dueAt: number;
  heardAt: number;
  /** Bytes of a frame that came in two pieces. */
  rest: Buffer | undefined;
  isOver: boolean;
}

export interface EchoServerOptions {
  readonly node: string;
  readonly address: string;
  readonly port: number;
  stoodMs(): number;
}

export class EchoServer {
  /** Connections were taken since it was last set to false. */
  hasAccepted = false;
  private readonly options: EchoServerOptions;
  private readonly handle: TcpHandle;
  private clients: Client[] = [];

  constructor(options: EchoServerOptions) {
    this.options = options;
    this.handle = listen(options.address, options.port, (client) => this.accepted(client));
  }

  /** Answers what has come; `now`: when the tick was to be, however late it is. */
  receive(now: number): void {
    let over = 0;
    for (const client of this.clients) {
      if (now >= client.dueAt) this.read(client, now);
      if (client.isOver) over += 1;
    }
    if (over > 0) this.clients = this.clients.filter(({ isOver }) => !isOver);
  }

  close(): void {
    this.handle.close();
    for (const { handle } of this.clients) handle.close();
    this.clients = [];
  }

  private accepted(handle: TcpHandle): void {
    this.hasAccepted = true;
    if (this.clients.length >= CLIENTS_MAX) {
      handle.close();
      return;
    }
    handle.setNoDelay(true);
    const heardAt = performance.now();
    this.clients.push({ handle, dueAt: 0, heardAt, rest: undefined, isOver: false });
  }

  private read(client: Client, now: number): void {
    try {
      const length = readNow(client.handle.fd, received);
      if (length > 0) this.take(client, length, now);
      else if (length === 0 || now - client.heardAt > SILENT_MS) end(client);
    } catch {
      end(client);
    }
  }

  private take(client: Client, length: number, now: number): void {
    client.heardAt = now;
    if (received[0] === GET_FIRST_BYTE && client.rest === undefined) {
      this.answer(client);
      return;
    }
    const bytes =
      client.rest === undefined
        ? received.subarray(0, length)
        : Buffer.concat([client.rest, received.subarray(0, length)]);
    const whole = bytes.length - (bytes.length % FRAME_BYTES);
    client.rest = whole === bytes.length ? undefined : Buffer.from(bytes.subarray(whole));
    if (whole === 0) return;
    client.dueAt = nextFramesAt(now, bytes.readUInt32BE(whole - 4));
    const stoodMs = this.options.stoodMs();
    for (let at = 0; at < whole; at += FRAME_BYTES) bytes.writeUInt32BE(stoodMs, at + 4);
    const failure = writeNow(client.handle.fd, bytes, whole);
    if (failure !== '' && failure !== 'EAGAIN') end(client);
  }

  /** And no more: the kernel sends all of it before the end. */
  private answer(client: Client): void {
    const peer: { address?: string } = {};
    client.handle.getpeername(peer);
    writeNow(
      client.handle.fd,
      answerWith(`${peer.address ?? ''} ${this.options.node} ${this.options.stoodMs()}\n`),
    );
    end(client);
  }
}

function end(client: Client): void {
  client.isOver = true;
  client.handle.close();
}

const HEAD = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY_BYTES}\r\nConnection: close\r\n\r\n`;
const body = Buffer.from(HEAD + '.'.repeat(BODY_BYTES), 'latin1');

function answerWith(who: string): Buffer {
  body.fill('.', HEAD.length);
  body.write(who, HEAD.length, 'latin1');
  return body;
}
