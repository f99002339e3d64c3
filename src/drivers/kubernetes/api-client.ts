/**
 * Requests to one API server: in turn, repeated where that is safe, never longer than the patience
 * for it, each told to the audit. What comes back is the answer read to its end, or one error.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { RegaugeError } from '../../base/errors.ts';
import type { CallOptions } from '../../ports/index.ts';
import {
  type Access,
  type Answer,
  attempt,
  AttemptError,
  type Limits,
  targetOf,
} from './attempt.ts';
import type { Credentials } from './credentials.ts';
import { type Failure, PATIENCE, waitBefore } from './retry.ts';
import { foreignAnswer, refusalError, StatusError } from './status.ts';
import type { Throttle } from './throttle.ts';
import { deadlineOf, sleep, type Timers } from './timers.ts';

/** What is told of each request: never a body, a query or a header. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  /** Absent when there was no answer. */
  readonly status?: number;
  readonly milliseconds: number;
  readonly error?: string;
}

export interface ApiClientParts {
  readonly credentials: Credentials;
  readonly throttle: Throttle;
  readonly timers: Timers;
  readonly limits: Limits;
  readonly userAgent: string;
  readonly onRequest?: (record: RequestRecord) => void;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ApiRequest extends CallOptions {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Asking twice is as asking once, so that an answer that was lost is no harm. */
  readonly isRepeatable: boolean;
  /** A 429 that is an answer, and not a wish for patience. */
  readonly isFinal?: (error: StatusError) => boolean;
  /** Milliseconds of silence in the body that are borne; the client's own when absent. */
  readonly idleMs?: number;
  /** False for one attempt only: who asks has an own way to come back. */
  readonly isRetried?: boolean;
}

const DEADLINE_MS = 5 * 60_000;
const REFUSAL_BYTES_MAX = 1_000_000;

type Use<T> = (answer: Answer) => Promise<T>;
type Outcome<T> = { readonly value: T } | { readonly failure: Failure };

export class ApiClient {
  readonly parts: ApiClientParts;
  /** An address that never answered is more likely wrong than busy. */
  private hasAnswered = false;

  constructor(parts: ApiClientParts) {
    this.parts = parts;
  }

  get server(): string {
    return targetOf(this.parts.credentials.url).server;
  }

  json(request: ApiRequest): Promise<unknown> {
    return this.send(request, (answer) => this.readJson(answer, request));
  }

  /** `use` reads the answer; what breaks while it does is repeated like any other failure. */
  async send<T>(request: ApiRequest, use: Use<T>): Promise<T> {
    const { timers } = this.parts;
    const limit = {
      ...(request.isRetried === false ? {} : { deadlineMs: DEADLINE_MS }),
      ...request,
    };
    const deadline = deadlineOf(timers, limit, `${request.method} ${request.path}`);
    const began = timers.now();
    let hasRenewed = false;
    try {
      for (let attempts = 1; ; attempts += 1) {
        const outcome = await this.once(request, deadline.signal, use);
        if ('value' in outcome) return outcome.value;
        const { failure } = outcome;
        if (failure.kind === 'refusal' && failure.error.httpStatus === 401 && !hasRenewed) {
          hasRenewed = true;
          if (await this.parts.credentials.forget()) continue;
        }
        const wait = this.waitAfter(request, failure, attempts, timers.now() - began);
        if (wait === undefined) throw this.told(failure);
        await sleep(timers, wait, deadline.signal);
      }
    } finally {
      deadline.clear();
    }
  }

  private waitAfter(
    request: ApiRequest,
    failure: Failure,
    attempts: number,
    spentMs: number,
  ): number | undefined {
    if (request.isRetried === false) return undefined;
    if (failure.kind === 'refusal' && request.isFinal?.(failure.error) === true) return undefined;
    const state = { attempts, spentMs, hasAnswered: this.hasAnswered, patience: PATIENCE };
    return waitBefore(request, failure, state, this.parts.timers);
  }

  private told(failure: Failure): RegaugeError {
    if (failure.kind === 'other') return failure.error;
    const { error } = failure;
    const end =
      error.code === 'unauthenticated' ? this.parts.credentials.certificateEnd() : undefined;
    if (end === undefined) return error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return new RegaugeError('unauthenticated', `${error.message}; ${end}`, hint);
  }

  private async once<T>(
    request: ApiRequest,
    signal: AbortSignal,
    use: Use<T>,
  ): Promise<Outcome<T>> {
    const { credentials, throttle, timers, onRequest } = this.parts;
    let access: Access;
    try {
      access = await credentials.current();
      await throttle.turn(signal);
    } catch (error) {
      if (error instanceof RegaugeError) return { failure: { kind: 'other', error } };
      throw error;
    }
    const began = timers.now();
    let status: number | undefined;
    const tell = (error?: string): void =>
      onRequest?.({
        method: request.method,
        path: request.path,
        ...(status === undefined ? {} : { status }),
        milliseconds: Math.round(timers.now() - began),
        ...(error === undefined ? {} : { error }),
      });
    try {
      const answer = await attempt(access, this.attemptOf(request, signal), timers);
      ({ status } = answer);
      this.hasAnswered = true;
      if (status < 200 || status >= 300) throw await this.refusalOf(answer, request);
      const value = await use(answer);
      tell();
      return { value };
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      tell(failure.error.code);
      return { failure };
    }
  }

  private attemptOf(request: ApiRequest, signal: AbortSignal): Parameters<typeof attempt>[1] {
    const { limits, userAgent } = this.parts;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const { idleMs = limits.idleMs } = request;
    return {
      method: request.method,
      path: `${request.path}${queryText(request.query)}`,
      headers: {
        'User-Agent': userAgent,
        Accept: request.accept ?? 'application/json',
        ...(body === undefined
          ? {}
          : {
              'Content-Type': request.contentType ?? 'application/json',
              'Content-Length': Buffer.byteLength(body),
            }),
      },
      body,
      signal,
      limits: { ...limits, idleMs },
    };
  }

  private async refusalOf(answer: Answer, request: ApiRequest): Promise<StatusError> {
    const text = await textOf(answer.body, REFUSAL_BYTES_MAX);
    const error = refusalError({ ...this.seen(answer.headers, request, answer.status), text });
    return Object.assign(error, { retryAfterMs: retryAfter(answer.headers, error) });
  }

  private async readJson(answer: Answer, request: ApiRequest): Promise<unknown> {
    const text = await textOf(answer.body);
    try {
      return JSON.parse(text);
    } catch {
      throw foreignAnswer({ ...this.seen(answer.headers, request, answer.status), text });
    }
  }

  private seen(headers: IncomingHttpHeaders, { method, path }: ApiRequest, httpStatus: number) {
    const { user } = this.parts.credentials;
    const contentType = headers['content-type'] ?? '';
    return { httpStatus, contentType, request: `${method} ${path}`, user, server: this.server };
  }
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof AttemptError) return { kind: 'connection', ...error.failure };
  if (error instanceof StatusError) {
    const { retryAfterMs } = error as { readonly retryAfterMs?: number };
    return { kind: 'refusal', error, retryAfterMs };
  }
  return error instanceof RegaugeError ? { kind: 'other', error } : undefined;
}

/** Seconds, or a date; the Status may say it too. */
function retryAfter(headers: IncomingHttpHeaders, { status }: StatusError): number | undefined {
  const header = headers['retry-after'];
  const seconds = header === undefined ? Number.NaN : Number(header);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000;
  const date = Date.parse(header ?? '');
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now());
  const said = status?.retryAfterSeconds;
  return said === undefined ? undefined : said * 1_000;
}

export async function textOf(body: AsyncIterable<Buffer>, bytesMax = Infinity): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

function queryText(query: Query = {}): string {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) pairs.append(key, String(value));
  }
  return pairs.size === 0 ? '' : `?${pairs.toString()}`;
}
