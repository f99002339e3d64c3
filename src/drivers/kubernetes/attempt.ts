/**
 * One request over node:https, once: deadlines on connecting, on the head of the answer and on
 * silence in its body. What fails is a `ConnectionFailure`; an answer of any status is an answer.
 */
import http from 'node:http';
import https from 'node:https';
import { RegaugeError } from '../../base/errors.ts';
import { connectionFailure, type ConnectionFailure, type Target } from './connection-failures.ts';
import { interrupted, showDuration, type Timers } from './timers.ts';

export interface Limits {
  readonly connectMs: number;
  /** From sending to the head of the answer; webhooks may take 30 s of a write. */
  readonly headMs: number;
  /** Between two pieces of the body. */
  readonly idleMs: number;
}

export const LIMITS: Limits = { connectMs: 10_000, headMs: 60_000, idleMs: 30_000 };

export interface Access {
  readonly url: URL;
  readonly agent: http.Agent;
  readonly headers: http.OutgoingHttpHeaders;
}

export interface AttemptRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  readonly limits: Limits;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Pieces as they come; throws an `AttemptError` when they stop before the end. */
  readonly body: AsyncIterable<Buffer>;
  /** Gives the connection up without reading on. */
  discard(): void;
}

/** Thrown by an attempt that got no answer, or half of one. */
export class AttemptError extends Error {
  readonly failure: ConnectionFailure;

  constructor(failure: ConnectionFailure) {
    super(failure.error.message, { cause: failure.error });
    this.failure = failure;
  }
}

export function targetOf(url: URL): Target {
  return { server: url.origin, host: url.hostname };
}

export function attempt(access: Access, request: AttemptRequest, timers: Timers): Promise<Answer> {
  const { url, agent } = access;
  const { signal, limits } = request;
  const target = targetOf(url);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(interrupted(signal));
      return;
    }
    const client = url.protocol === 'http:' ? http : https;
    const sending = client.request({
      agent,
      ...placeOf(url),
      method: request.method,
      path: joined(url, request.path),
      headers: { ...access.headers, ...request.headers },
    });
    let sent = false;
    const slow = (what: string, ms: number) => () =>
      sending.destroy(silence(target, what, ms, sent));
    let stopTimer = timers.guard(limits.connectMs, slow('accept a connection', limits.connectMs));
    const connected = (): void => {
      sent = true;
      stopTimer();
      stopTimer = timers.guard(limits.headMs, slow('answer', limits.headMs));
    };
    const onAbort = (): void => void sending.destroy(interrupted(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => {
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    };
    sending.once('socket', (socket) => {
      if (sending.reusedSocket) connected();
      else socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', connected);
    });
    sending.once('error', (error) => {
      done();
      reject(asAttemptError(error, target, sent));
    });
    sending.once('response', (message) => {
      stopTimer();
      resolve(answerOf(message, { target, limits, timers, done }));
    });
    sending.end(request.body);
  });
}

interface Reading {
  readonly target: Target;
  readonly limits: Limits;
  readonly timers: Timers;
  readonly done: () => void;
}

function answerOf(message: http.IncomingMessage, reading: Reading): Answer {
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: piecesOf(message, reading),
    discard: () => {
      reading.done();
      message.destroy();
    },
  };
}

async function* piecesOf(
  message: http.IncomingMessage,
  { target, limits, timers, done }: Reading,
): AsyncGenerator<Buffer> {
  const { idleMs } = limits;
  // One timer for very many pieces: it looks how long the silence is when it fires.
  let since: number | undefined = timers.now();
  const watchSilence = (waitMs: number): (() => void) =>
    timers.guard(waitMs, () => {
      const left = (since ?? timers.now()) + idleMs - timers.now();
      if (left > 0) stopTimer = watchSilence(left);
      else message.destroy(silence(target, 'go on with its answer', idleMs, true));
    });
  let stopTimer = watchSilence(idleMs);
  try {
    for await (const piece of message) {
      // While the piece is worked on nobody waits for the server.
      since = undefined;
      yield piece as Buffer; // no encoding was set
      since = timers.now();
    }
    if (!message.complete) throw new AttemptError(cutOff(target));
  } catch (error) {
    if (error instanceof AttemptError) throw error;
    throw isBroken(error) ? new AttemptError(cutOff(target)) : asAttemptError(error, target, true);
  } finally {
    stopTimer();
    done();
    if (!message.complete) message.destroy();
  }
}

function asAttemptError(error: unknown, target: Target, sent: boolean): Error {
  if (error instanceof AttemptError || error instanceof RegaugeError) return error;
  return new AttemptError(connectionFailure(error, target, sent));
}

function silence({ server }: Target, what: string, ms: number, wasSent: boolean): AttemptError {
  const error = new RegaugeError(
    'unreachable',
    `${server} did not ${what} within ${showDuration(ms)}`,
    { hint: 'The server hangs, or a firewall drops the packets: look at it, then run again.' },
  );
  return new AttemptError({ error, wasSent, isPassing: true });
}

function cutOff({ server }: Target): ConnectionFailure {
  const error = new RegaugeError(
    'unreachable',
    `the answer of ${server} was cut off in its middle`,
    {
      hint: 'The connection broke while it was read; nothing of this answer was used.',
    },
  );
  return { error, wasSent: true, isPassing: true };
}

function isBroken(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}

function placeOf(url: URL): { readonly hostname: string; readonly port?: string } {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return url.port === '' ? { hostname } : { hostname, port: url.port };
}

/** Servers behind a gateway have a path of their own (Rancher: `/k8s/clusters/c-…`). */
export function joined(url: URL, path: string): string {
  return `${url.pathname.replace(/\/$/, '')}${path}`;
}
