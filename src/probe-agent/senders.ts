/**
 * Senders that need a connection: one that is held, one for each sample, one with a request. All read
 * when the agent is awake, and none is told of anything between.
 */
import type { HostPort } from '../model/probe.ts';
import { DueAnswers } from './due-answers.ts';
import { codeOf, connect, nameOf, readNow, type TcpHandle, writeNow } from './handles.ts';
import type { Track } from './track.ts';

/** What the main loop drives. */
export interface Sender {
  readonly track: Track;
  /** Ticks between two samples; a path in trouble is looked at on each tick unless it is shared. */
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  send(now: number): void;
  /** Each tick, before anything is sent: takes answers, and gives up what took too long. */
  receive(now: number): void;
  /** Waits for what only the event loop tells: a connection that is being made. */
  isConnecting(): boolean;
  close(): void;
}

/** How long a connection may take to be made, and an answer to come, of an agent that was awake. */
const PATIENCE_MS = 1_000;
/** An agent that stood still says so with its answer; one that does not answer by then is not waited for. */
const STOOD_STILL_MS = 4_000;
/** Number, and how long to the next (there) or how long the other end stood still (back). */
export const FRAME_BYTES = 8;

export interface SenderOptions {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  readonly target: HostPort;
}

/** One buffer for all: what it holds is used before anything else is read. */
const received = Buffer.alloc(8_192);

export class HeldConnection implements Sender {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  private readonly target: HostPort;
  private handle: TcpHandle | undefined;
  private isOpen = false;
  private beganAt = 0;
  private readonly due = new DueAnswers();
  private readonly frame = Buffer.alloc(FRAME_BYTES);
  private readonly partial = Buffer.alloc(FRAME_BYTES);
  private partialBytes = 0;

  constructor({ track, every, phase, isShared, target }: SenderOptions) {
    this.track = track;
    this.every = every;
    this.phase = phase;
    this.isShared = isShared;
    this.target = target;
    this.frame.writeUInt32BE(track.identity.periodMs, 4);
  }

  send(now: number): void {
    const number = this.track.sending(now);
    if (!this.isOpen || this.handle === undefined) return;
    this.frame.writeUInt32BE(number, 0);
    const failure = writeNow(this.handle.fd, this.frame);
    // A kernel that takes no more is in a stall, which the answers tell; all else ends the connection.
    if (failure !== '' && failure !== 'EAGAIN') this.drop(failure);
  }

  receive(now: number): void {
    if (this.handle === undefined) {
      this.open(now);
      return;
    }
    if (this.isOpen && this.due.isDue(this.track, now)) this.read(this.handle.fd, now);
    const since = this.isOpen ? this.track.failingSince(now) : this.beganAt;
    // A connection gets its patience from its own beginning.
    const waiting = since === undefined ? 0 : this.track.waited(Math.max(since, this.beganAt), now);
    if (waiting >= PATIENCE_MS) this.drop('no answer');
  }

  isConnecting(): boolean {
    return this.handle !== undefined && !this.isOpen;
  }

  close(): void {
    this.drop('');
  }

  private open(now: number): void {
    this.beganAt = now;
    this.partialBytes = 0;
    const handle = connect(this.target.host, this.target.port, (status) => {
      if (this.handle !== handle) return;
      if (status === 0) this.isOpen = true;
      else this.drop(`connect ${nameOf(status)}`);
    });
    this.handle = handle;
  }

  private drop(message: string): void {
    const { handle } = this;
    if (message !== '') this.track.refused(message);
    this.handle = undefined;
    this.isOpen = false;
    handle?.close();
  }

  private read(fd: number, now: number): void {
    try {
      const length = readNow(fd, received);
      if (length === 0) this.drop('closed by the other end');
      else if (length < 0) this.due.cameNot();
      else {
        this.due.came();
        this.take(length, now);
      }
    } catch (error) {
      this.drop(codeOf(error));
    }
  }

  private take(length: number, now: number): void {
    let at = 0;
    if (this.partialBytes === 0) {
      for (; at + FRAME_BYTES <= length; at += FRAME_BYTES)
        this.track.answered(received.readUInt32BE(at), now, received.readUInt32BE(at + 4));
    }
    for (; at < length; at += 1) {
      this.partial[this.partialBytes] = received[at] ?? 0;
      this.partialBytes += 1;
      if (this.partialBytes < FRAME_BYTES) continue;
      this.partialBytes = 0;
      this.track.answered(this.partial.readUInt32BE(0), now, this.partial.readUInt32BE(4));
    }
  }
}

/** What a sample does once it is connected. */
export interface Exchange {
  readonly request: Buffer;
  /** The whole answer, or undefined while it is not; null when it is none. */
  answer(text: string): Answer | undefined | null;
}

export interface Answer {
  /** The agent's address, as the other end saw it. */
  readonly source: string;
  /** How long the other end had stood still. */
  readonly stoodMs: number;
}

interface Attempt {
  readonly handle: TcpHandle;
  readonly number: number;
  readonly beganAt: number;
  isOpen: boolean;
  text: string;
}

export class NewConnections implements Sender {
  readonly track: Track;
  readonly every: number;
  readonly phase: number;
  readonly isShared: boolean;
  private readonly target: HostPort;
  private readonly exchange: Exchange | undefined;
  private attempts: Attempt[] = [];
  private readonly due = new DueAnswers();

  /** Without an exchange, a connection that is made is all that is asked. */
  constructor({ track, every, phase, isShared, target }: SenderOptions, exchange?: Exchange) {
    this.track = track;
    this.every = every;
    this.phase = phase;
    this.isShared = isShared;
    this.target = target;
    this.exchange = exchange;
  }

  send(now: number): void {
    const number = this.track.sending(now);
    const handle = connect(this.target.host, this.target.port, (status) => {
      if (!this.attempts.includes(attempt)) return;
      if (status === 0) this.connected(attempt);
      else this.end(attempt, `connect ${nameOf(status)}`);
    });
    const attempt: Attempt = { handle, number, beganAt: now, isOpen: false, text: '' };
    this.attempts.push(attempt);
  }

  receive(now: number): void {
    if (this.attempts.length === 0) return;
    for (const attempt of this.attempts) {
      if (attempt.isOpen && this.due.isDue(this.track, now)) this.read(attempt, now);
      const patience = attempt.isOpen ? STOOD_STILL_MS : PATIENCE_MS;
      if (this.track.waited(attempt.beganAt, now) >= patience)
        this.end(attempt, attempt.isOpen ? 'no answer' : 'connect: timed out');
    }
  }

  isConnecting(): boolean {
    return this.attempts.some(({ isOpen }) => !isOpen);
  }

  close(): void {
    for (const { handle } of this.attempts) handle.close();
    this.attempts = [];
  }

  private connected(attempt: Attempt): void {
    if (this.exchange === undefined) {
      this.track.answered(attempt.number, performance.now());
      this.end(attempt, '');
      return;
    }
    attempt.isOpen = true;
    const failure = writeNow(attempt.handle.fd, this.exchange.request);
    if (failure !== '') this.end(attempt, failure);
  }

  private read(attempt: Attempt, now: number): void {
    try {
      const length = readNow(attempt.handle.fd, received);
      if (length < 0) {
        this.due.cameNot();
        return;
      }
      this.due.came();
      attempt.text += received.toString('latin1', 0, length);
      const answer = this.exchange?.answer(attempt.text);
      if (answer === null || (answer === undefined && length === 0))
        this.end(attempt, 'no HTTP answer');
      else if (answer !== undefined) this.answered(attempt, answer, now);
    } catch (error) {
      this.end(attempt, codeOf(error));
    }
  }

  private answered(attempt: Attempt, { source, stoodMs }: Answer, now: number): void {
    const late = this.track.waited(attempt.beganAt, now) - stoodMs;
    this.track.source = source;
    if (late < PATIENCE_MS) this.track.answered(attempt.number, now, stoodMs);
    this.end(attempt, late < PATIENCE_MS ? '' : `answered after ${Math.round(late)} ms`);
  }

  private end(attempt: Attempt, failure: string): void {
    if (failure !== '') this.track.refused(failure);
    this.attempts = this.attempts.filter((other) => other !== attempt);
    // Leaves nothing behind in TIME_WAIT, here or in connection tracking.
    if (attempt.handle.reset() !== 0) attempt.handle.close();
  }
}

const HEAD = /^HTTP\/1\.1 200 [^]*?\r\nContent-Length: (\d+)\r\n[^]*?\r\n\r\n/;
/** The answer's first line: whom the server saw, which node it is on, how long it had stood still. */
const WHO = /^([\d.:a-f]+) \S* (\d+)\n/;

/** A request, and all of its answer. */
export const HTTP_EXCHANGE: Exchange = {
  request: Buffer.from('GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n'),
  answer(text) {
    const head = HEAD.exec(text);
    if (head === null)
      return text.startsWith('HTTP/1.1 200 '.slice(0, text.length)) ? undefined : null;
    if (text.length < head[0].length + Number(head[1])) return undefined;
    const [, source = '', stoodMs = '0'] = WHO.exec(text.slice(head[0].length)) ?? [];
    return { source, stoodMs: Number(stoodMs) };
  },
};
