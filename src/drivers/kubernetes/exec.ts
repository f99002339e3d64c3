/**
 * Commands in containers over a websocket (v5.channel.k8s.io, else v4). The command has ended when
 * the server says how; a connection that closes without that, or goes silent, leaves unknown what
 * the command did, and is a failure (KK staging/src/k8s.io/client-go/tools/remotecommand/websocket.go).
 */
import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { RegaugeError } from '../../base/errors.ts';
import type { ExecRequest, ExecResult } from '../../ports/index.ts';
import { type Access, AttemptError, joined, targetOf } from './attempt.ts';
import type { ApiClient } from './api-client.ts';
import { textOf } from './api-client.ts';
import { connectionFailure } from './connection-failures.ts';
import { endOf, refusalError, type Status } from './status.ts';
import { deadlineOf, interrupted, type Timers } from './timers.ts';

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
/** v5: ends the stream that the next byte names. */
const CLOSE = 255;

const DEADLINE_MS = 5 * 60_000;
const OUTPUT_MAX = 16 * 1024 * 1024;
const PING_MS = 15_000;

export async function execInContainer(
  client: ApiClient,
  request: ExecRequest,
): Promise<ExecResult> {
  const { credentials, throttle, timers } = client.parts;
  const what = `exec of ${request.command[0] ?? ''} in ${request.namespace}/${request.pod}`;
  const deadline = deadlineOf(timers, { deadlineMs: DEADLINE_MS, ...request }, what);
  try {
    const access = await credentials.current();
    await throttle.turn(deadline.signal);
    const { WebSocket: Socket } = await import('ws');
    const socket = new Socket(addressOf(access, request), PROTOCOLS, {
      agent: access.agent,
      headers: flat(access.headers, client.parts.userAgent),
      perMessageDeflate: false,
      maxPayload: OUTPUT_MAX * 2,
      handshakeTimeout: client.parts.limits.connectMs + client.parts.limits.headMs,
    });
    return await new Conversation(socket, client, request, what).run(deadline.signal);
  } finally {
    deadline.clear();
  }
}

class Conversation {
  private readonly socket: WebSocket;
  private readonly client: ApiClient;
  private readonly request: ExecRequest;
  private readonly what: string;
  private readonly timers: Timers;
  private readonly out: Buffer[] = [];
  private readonly err: Buffer[] = [];
  private bytes = 0;
  private status: Status | undefined;
  private hasOpened = false;
  private isHeard = true;
  private stopPing: () => void = () => undefined;
  private failure: Error | undefined;

  constructor(socket: WebSocket, client: ApiClient, request: ExecRequest, what: string) {
    this.socket = socket;
    this.client = client;
    this.request = request;
    this.what = what;
    this.timers = client.parts.timers;
  }

  run(signal: AbortSignal): Promise<ExecResult> {
    const { socket } = this;
    const began = this.timers.now();
    return new Promise<ExecResult>((resolve, reject) => {
      const onAbort = (): void => this.fail(interrupted(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      const end = (): void => {
        this.stopPing();
        signal.removeEventListener('abort', onAbort);
        this.audit(began);
        try {
          resolve(this.result());
        } catch (error) {
          reject(error as Error);
        }
      };
      socket.on('open', () => this.opened());
      socket.on('message', (data) => this.heard(data));
      socket.on('pong', () => (this.isHeard = true));
      socket.on('unexpected-response', (_request, answer) => {
        void this.refused(answer).then((error) => this.fail(error));
      });
      socket.on('error', (error) => (this.failure ??= this.connectionError(error)));
      socket.once('close', end);
      if (signal.aborted) onAbort();
    });
  }

  private opened(): void {
    this.hasOpened = true;
    const { stdin } = this.request;
    if (stdin !== undefined) this.sendStdin(Buffer.from(stdin));
    this.planPing();
  }

  private sendStdin(stdin: Buffer): void {
    const canEnd = this.socket.protocol === PROTOCOLS[0];
    if (!canEnd && this.request.stdinIsCounted !== true) {
      const message = `${this.what}: this server (older than Kubernetes 1.30) cannot be told where the input ends`;
      const hint = 'The command would wait for ever; it is given its input another way.';
      this.fail(new RegaugeError('refused', message, { hint }));
      return;
    }
    const PIECE = 32_768;
    for (let at = 0; at < stdin.length; at += PIECE) {
      this.socket.send(Buffer.concat([Buffer.of(STDIN), stdin.subarray(at, at + PIECE)]));
    }
    if (canEnd) this.socket.send(Buffer.of(CLOSE, STDIN));
  }

  private heard(data: RawData): void {
    this.isHeard = true;
    const message = bytesOf(data);
    const content = message.subarray(1);
    const [channel] = message;
    if (channel === STATUS) this.ended(content.toString('utf8'));
    if (content.length === 0) return;
    if (channel === STDOUT) this.printed(content, this.out);
    if (channel === STDERR) this.printed(content, this.err);
  }

  private printed(content: Buffer, into: Buffer[]): void {
    const { onStdout, outputBytesMax = OUTPUT_MAX } = this.request;
    if (into === this.out && onStdout !== undefined) {
      onStdout(content);
      return;
    }
    this.bytes += content.length;
    if (this.bytes > outputBytesMax) {
      const message = `${this.what} printed more than ${outputBytesMax} bytes`;
      this.fail(new RegaugeError('refused', message));
      return;
    }
    into.push(content);
  }

  private ended(text: string): void {
    try {
      this.status = endOf(JSON.parse(text));
    } catch {
      this.status = undefined;
    }
    this.socket.close(1000);
    // The server closes too; whether it does is of no interest any more.
    this.stopPing();
    this.stopPing = this.timers.guard(1_000, () => this.socket.terminate());
  }

  /** Silence is told from a slow command by pings: half-open connections answer none. */
  private planPing(): void {
    this.stopPing = this.timers.guard(PING_MS, () => {
      if (!this.isHeard) {
        this.fail(this.unknownEnd('the connection went silent'));
        return;
      }
      this.isHeard = false;
      this.socket.ping();
      this.planPing();
    });
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.socket.terminate();
  }

  private result(): ExecResult {
    const { status } = this;
    if (status === undefined) {
      throw this.failure ?? this.unknownEnd('the connection was closed');
    }
    const exitCode = exitCodeOf(status);
    if (exitCode === undefined) throw new RegaugeError('refused', status.message);
    return { exitCode, stdout: joinedText(this.out), stderr: joinedText(this.err) };
  }

  private unknownEnd(why: string): RegaugeError {
    return new RegaugeError(
      'unreachable',
      `${this.what}: ${why} before the server had said how the command ended`,
      { hint: 'Nobody knows whether it ran to its end: look at what it was to change.' },
    );
  }

  private connectionError(error: Error): Error {
    if (error instanceof AttemptError) return error.failure.error;
    if (this.hasOpened) return this.unknownEnd('the connection broke');
    const target = targetOf(this.client.parts.credentials.url);
    return connectionFailure(error, target, false).error;
  }

  private async refused(answer: IncomingMessage): Promise<Error> {
    const { credentials } = this.client.parts;
    return refusalError({
      httpStatus: answer.statusCode ?? 0,
      contentType: answer.headers['content-type'] ?? '',
      text: await textOf(answer, 100_000).catch(() => ''),
      request: this.what,
      user: credentials.user,
      server: this.client.server,
    });
  }

  private audit(began: number): void {
    const { namespace, pod } = this.request;
    this.client.parts.onRequest?.({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/pods/${pod}/exec`,
      ...(this.hasOpened ? { status: 101 } : {}),
      milliseconds: Math.round(this.timers.now() - began),
      ...(this.status === undefined ? { error: 'no status' } : {}),
    });
  }
}

function joinedText(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString('utf8');
}

function exitCodeOf(status: Status): number | undefined {
  if (status.isSuccess) return 0;
  if (status.reason !== 'NonZeroExitCode') return undefined;
  const code = Number(status.causes.find(({ reason }) => reason === 'ExitCode')?.message);
  return Number.isInteger(code) ? code : undefined;
}

function addressOf({ url }: Access, request: ExecRequest): URL {
  const { namespace, pod, container, command, stdin } = request;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`;
  const address = new URL(joined(url, path), url);
  for (const word of command) address.searchParams.append('command', word);
  if (container !== undefined) address.searchParams.set('container', container);
  address.searchParams.set('stdin', String(stdin !== undefined));
  address.searchParams.set('stdout', 'true');
  address.searchParams.set('stderr', 'true');
  address.searchParams.set('tty', 'false');
  return address;
}

function flat(headers: Access['headers'], userAgent: string): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = { 'User-Agent': userAgent };
  for (const [key, value] of Object.entries(headers)) {
    if (value !== undefined) result[key] = Array.isArray(value) ? [...value] : String(value);
  }
  return result;
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
