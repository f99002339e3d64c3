/**
 * Calls to the Talos API: one node each, named in `node` metadata (never `nodes`), through whichever
 * endpoint answers, within a deadline. Reads are repeated; a write is sent to another endpoint only when
 * none has seen it. Source: knowledge talos-and-cni-selection.md 4.12, "Proxying".
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { RegaugeError } from '../../base/errors.ts';
import type { TalosRole } from '../../knowledge/talos-roles.ts';
import { classify, type CallFailure, type CallPlace, StreamSilent } from './call-failure.ts';
import { readIdentity, type ClientIdentity } from './client-identity.ts';
import { Endpoint } from './endpoint.ts';
import type { TalosContext } from './talosconfig.ts';

export interface CallOptions {
  /** The target: an address, or a name that the endpoint resolves. Absent: the endpoint itself. */
  readonly node?: string | undefined;
  /** What is wanted, for messages: `read /etc/os-release of 10.0.0.1`. */
  readonly what: string;
  /** Changes nothing, so it may be asked again. */
  readonly isRead: boolean;
  /** For all of it: every endpoint, every repetition. */
  readonly deadlineMs?: number;
  readonly rolesNeeded?: readonly TalosRole[];
  readonly signal?: AbortSignal | undefined;
}

export interface StreamOptions extends CallOptions {
  /** How long a stream may say nothing; as long as it likes when absent. */
  readonly idleMs?: number;
}

export interface ChannelOptions {
  readonly context: TalosContext;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Before a read is asked again; for tests. */
  readonly backOffMs?: number;
}

const DEADLINE_MS = 20_000;
const CONNECT_MS = 5_000;
const ROUNDS_MAX = 4;
const BACK_OFF_MS = 500;
/** How long an endpoint that failed is asked last. */
const AVOID_MS = 30_000;

export class TalosChannel {
  readonly identity: ClientIdentity;
  readonly contextName: string;
  private readonly endpoints: readonly Endpoint[];
  private readonly avoidedUntil = new Map<Endpoint, number>();
  private readonly now: () => number;
  private readonly backOffMs: number;

  constructor({ context, now = Date.now, backOffMs = BACK_OFF_MS }: ChannelOptions) {
    this.identity = readIdentity(context, now());
    this.contextName = context.name;
    this.endpoints = context.endpoints.map((name) => new Endpoint(name, context));
    this.now = now;
    this.backOffMs = backOffMs;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    call: CallOptions,
  ): Promise<MessageShape<O>> {
    return this.attempt(method, call, async ({ transport }, signal, leftMs) => {
      const answer = await transport.unary(method, signal, leftMs, headersOf(call), request);
      return answer.message;
    });
  }

  /**
   * A stream that ends, handed to `take` message by message; a read that breaks is begun again, with
   * a new `take`. Resolves with what the last `take` made.
   */
  collect<I extends DescMessage, O extends DescMessage, T>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    call: StreamOptions,
    begin: () => Collector<MessageShape<O>, T>,
  ): Promise<T> {
    return this.attempt(method, call, async (endpoint, signal, leftMs) => {
      const collector = begin();
      const messages = this.open(endpoint, { method, request, call, signal, leftMs });
      for await (const message of messages) await collector.take(message);
      return collector.done();
    });
  }

  /** A stream without an end of its own; it breaks when the endpoint or the node does. */
  async *follow<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    call: StreamOptions,
  ): AsyncGenerator<MessageShape<O>> {
    const opened = await this.attempt(method, call, async (endpoint, _signal, leftMs) => {
      const iterator = this.open(endpoint, {
        method,
        request,
        call,
        signal: call.signal,
        leftMs: undefined,
      })[Symbol.asyncIterator]();
      const first = await within(iterator.next(), leftMs, () => void iterator.return?.(undefined));
      return { iterator, first, endpoint };
    });
    try {
      for (let at = opened.first; at.done !== true; at = await opened.iterator.next())
        yield at.value;
    } catch (error) {
      throw classify(error, { ...this.placeOf(method, call), endpoint: opened.endpoint.name })
        .error;
    } finally {
      await opened.iterator.return?.(undefined);
    }
  }

  close(): void {
    for (const endpoint of this.endpoints) endpoint.close();
  }

  private async *open<I extends DescMessage, O extends DescMessage>(
    { transport }: Endpoint,
    opening: {
      readonly method: DescMethodServerStreaming<I, O>;
      readonly request: MessageInitShape<I>;
      readonly call: StreamOptions;
      readonly signal: AbortSignal | undefined;
      readonly leftMs: number | undefined;
    },
  ): AsyncGenerator<MessageShape<O>> {
    const { method, request, call, signal, leftMs } = opening;
    const stop = new AbortController();
    const signals = signal === undefined ? [stop.signal] : [stop.signal, signal];
    const answer = await transport.stream(
      method,
      AbortSignal.any(signals),
      // Zero is no deadline.
      leftMs ?? 0,
      headersOf(call),
      once(request),
    );
    const iterator = answer.message[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await within(iterator.next(), call.idleMs, () => stop.abort());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      stop.abort();
    }
  }

  /** Endpoint after endpoint, and for a read round after round, until the deadline. */
  private async attempt<T>(
    method: DescMethod,
    call: CallOptions,
    run: (endpoint: Endpoint, signal: AbortSignal | undefined, leftMs: number) => Promise<T>,
  ): Promise<T> {
    const place = this.placeOf(method, call);
    const end = this.now() + (call.deadlineMs ?? DEADLINE_MS);
    let failure: CallFailure | undefined;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      for (const endpoint of this.inOrder()) {
        const leftMs = end - this.now();
        if (leftMs <= 0) throw failure?.error ?? outOfTime(place);
        const outcome = await this.tryOne(endpoint, method, call, async () => {
          await endpoint.connect(Math.min(CONNECT_MS, leftMs));
          return run(endpoint, call.signal, end - this.now());
        });
        if (outcome.ok) return outcome.value;
        failure = outcome.failure;
        if (failure.scope !== 'final') this.avoidedUntil.set(endpoint, this.now() + AVOID_MS);
        if (failure.scope !== 'endpoint') break;
      }
      const { scope = 'final', error = outOfTime(place) } = failure ?? {};
      const isUseless =
        scope === 'final' || error.code === 'forbidden' || error.code === 'unauthenticated';
      if (!call.isRead || isUseless || call.signal?.aborted === true) throw error;
      const pause = this.backOffMs * 2 ** round + randomInt(Math.max(1, this.backOffMs));
      if (round === ROUNDS_MAX - 1 || this.now() + pause >= end) throw error;
      await delay(pause);
    }
    throw failure?.error ?? outOfTime(place);
  }

  private async tryOne<T>(
    endpoint: Endpoint,
    method: DescMethod,
    call: CallOptions,
    run: () => Promise<T>,
  ): Promise<
    { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: CallFailure }
  > {
    try {
      const value = await run();
      this.avoidedUntil.delete(endpoint);
      return { ok: true, value };
    } catch (error) {
      const place = { ...this.placeOf(method, call), endpoint: endpoint.name };
      return { ok: false, failure: classify(error, place) };
    }
  }

  /** Those that failed lately last; otherwise as the talosconfig has them. */
  private inOrder(): readonly Endpoint[] {
    const now = this.now();
    const avoided = (endpoint: Endpoint): number =>
      Math.max(0, (this.avoidedUntil.get(endpoint) ?? 0) - now);
    return this.endpoints.toSorted((left, right) => avoided(left) - avoided(right));
  }

  private placeOf(method: DescMethod, call: CallOptions): CallPlace {
    return {
      what: call.what,
      endpoint: this.endpoints[0]?.name ?? '',
      node: call.node,
      service: method.parent.typeName,
      method: method.name,
      context: this.contextName,
      roles: this.identity.roles,
      isEnded: call.signal?.aborted === true,
      ...(call.rolesNeeded === undefined ? {} : { rolesNeeded: call.rolesNeeded }),
    };
  }
}

export interface Collector<M, T> {
  take(message: M): void | Promise<void>;
  done(): T | Promise<T>;
}

function headersOf({ node }: CallOptions): Headers {
  return new Headers(node === undefined ? {} : { node });
}

function outOfTime(place: CallPlace): RegaugeError {
  return new RegaugeError('timeout', `cannot ${place.what}: no answer in time`);
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** Rejects as unreachable when nothing comes for the time, and gives up what it waited for. */
async function within<T>(
  work: Promise<T>,
  milliseconds: number | undefined,
  giveUp: () => void,
): Promise<T> {
  if (milliseconds === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StreamSilent(milliseconds));
      giveUp();
    }, milliseconds);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
