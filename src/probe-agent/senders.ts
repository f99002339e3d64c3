/** Senders that need a connection: one that is held, one for each sample, one with a request. */
import { connect, type Socket } from 'node:net';
import type { HostPort } from '../model/probe.ts';
import type { Track } from './track.ts';

/** What the main loop drives. */
export interface Sender {
  readonly track: Track;
  /** Ticks between two samples; a path in trouble is looked at on each tick unless it is shared. */
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  send(now: number): void;
  /** Each tick: what took too long is given up. */
  tick(now: number): void;
  close(): void;
}

/** How long a connection or an answer may take. */
const PATIENCE_MS = 1_000;
const FRAME_BYTES = 8;

export interface SenderOptions {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  readonly target: HostPort;
}

export class HeldConnection implements Sender {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  private readonly target: HostPort;
  private socket: Socket | undefined;
  private isOpen = false;
  private beganAt = 0;
  private readonly frame = Buffer.alloc(FRAME_BYTES);
  private readonly partial = Buffer.alloc(FRAME_BYTES);
  private partialBytes = 0;

  constructor({ track, every, phase, isShared, target }: SenderOptions) {
    this.track = track;
    this.every = every;
    this.phase = phase;
    this.isShared = isShared;
    this.target = target;
  }

  send(now: number): void {
    const number = this.track.sending(now);
    if (!this.isOpen) return;
    // A frame that the kernel has not taken yet must not change.
    const frame = this.socket?.writableLength === 0 ? this.frame : Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32BE(number, 0);
    this.socket?.write(frame);
  }

  tick(now: number): void {
    if (this.socket === undefined) {
      this.open(now);
      return;
    }
    const since = this.isOpen ? this.track.failingSince(now) : this.beganAt;
    // A connection gets its patience from its own beginning.
    const waiting = since === undefined ? 0 : now - Math.max(since, this.beganAt);
    if (waiting >= PATIENCE_MS) this.drop('no answer');
  }

  close(): void {
    this.drop('');
  }

  private open(now: number): void {
    this.beganAt = now;
    this.partialBytes = 0;
    const socket = connect({
      ...this.target,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(512),
        callback: (bytes, buffer) => {
          this.received(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          return true;
        },
      },
    });
    this.socket = socket;
    socket.on('connect', () => {
      if (this.socket === socket) this.isOpen = true;
    });
    socket.on('error', (error) => this.track.refused(error.message));
    socket.on('close', () => {
      if (this.socket === socket) this.drop('');
    });
  }

  private drop(message: string): void {
    const { socket } = this;
    if (message !== '') this.track.refused(message);
    this.socket = undefined;
    this.isOpen = false;
    socket?.destroy();
  }

  private received(bytes: Buffer): void {
    const now = performance.now();
    for (const byte of bytes) {
      this.partial[this.partialBytes] = byte;
      this.partialBytes += 1;
      if (this.partialBytes < FRAME_BYTES) continue;
      this.partialBytes = 0;
      this.track.answered(this.partial.readUInt32BE(0), now);
    }
  }
}

interface Attempt {
  readonly socket: Socket;
  readonly beganAt: number;
}

/** What each sample does once it is connected; calls back with true when it was answered. */
type Exchange = (socket: Socket, done: (source?: string) => void) => void;

export class NewConnections implements Sender {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  private readonly target: HostPort;
  private readonly exchange: Exchange;
  private readonly attempts = new Set<Attempt>();

  constructor({ track, every, phase, isShared, target }: SenderOptions, exchange: Exchange) {
    this.track = track;
    this.every = every;
    this.phase = phase;
    this.isShared = isShared;
    this.target = target;
    this.exchange = exchange;
  }

  send(now: number): void {
    const number = this.track.sending(now);
    const socket = connect({ ...this.target, noDelay: true });
    const attempt = { socket, beganAt: now };
    this.attempts.add(attempt);
    const end = (): void => {
      this.attempts.delete(attempt);
      // Leaves nothing behind in TIME_WAIT, here or in connection tracking.
      socket.resetAndDestroy();
    };
    socket.on('error', (error) => {
      this.attempts.delete(attempt);
      this.track.refused(error.message);
    });
    this.exchange(socket, (source) => {
      this.track.answered(number, performance.now());
      if (source !== undefined) this.track.source = source;
      end();
    });
  }

  tick(now: number): void {
    for (const attempt of this.attempts) {
      if (now - attempt.beganAt < PATIENCE_MS) continue;
      this.attempts.delete(attempt);
      this.track.refused(attempt.socket.connecting ? 'connect: timed out' : 'no answer');
      attempt.socket.destroy();
    }
  }

  close(): void {
    for (const { socket } of this.attempts) socket.destroy();
    this.attempts.clear();
  }
}

export const onlyConnect: Exchange = (socket, done) => {
  socket.on('connect', () => done());
};

const HEAD = /^HTTP\/1\.1 200 [^]*?\r\nContent-Length: (\d+)\r\n[^]*?\r\n\r\n/;

/** A request, and all of its answer; its first line says whom the server saw. */
export const request: Exchange = (socket, done) => {
  let seen = '';
  let missing: number | undefined;
  socket.on('connect', () =>
    socket.write('GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n'),
  );
  socket.on('data', (chunk) => {
    if (missing === undefined) {
      seen += chunk.toString('latin1');
      const head = HEAD.exec(seen);
      if (head === null) return;
      missing = head[0].length + Number(head[1]) - seen.length;
      seen = seen.slice(head[0].length);
    } else missing -= chunk.length;
    if (missing <= 0) done(/^[\d.:a-f]+/.exec(seen)?.[0]);
  });
};
