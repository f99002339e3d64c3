/**
 * The way from an executor to the cluster. Calls on it may wait, be refused, or be done and their
 * answer lost; an executor that was killed hears nothing any more, whatever was under way.
 */
import type { RegaugeError } from '../../base/errors.ts';
import type { Ports } from '../../ports/index.ts';
import type { Kernel } from '../kernel/kernel.ts';

export interface PortCall {
  readonly port: keyof Ports;
  readonly method: string;
}

/** What a disturbance does to a call; undefined lets it pass. */
export type Effect =
  /** It is not sent before the disturbance is over; who has waited so long gets the error. */
  | { readonly kind: 'held'; readonly patienceMs: number; readonly error: () => RegaugeError }
  /** It is done at once, and answered when the disturbance is over. */
  | { readonly kind: 'unanswered'; readonly patienceMs: number; readonly error: () => RegaugeError }
  | { readonly kind: 'refused'; readonly error: () => RegaugeError };

export interface Disturbance {
  effectOn(call: PortCall): Effect | undefined;
  /** Calls that were sent and not answered when it began. */
  onCallsUnderWay?: (call: PortCall) => RegaugeError | undefined;
}

interface Active {
  readonly disturbance: Disturbance;
  readonly waiting: Set<() => void>;
}

/** What happens to all wires of a rehearsal: each executor has its own, and they share the weather. */
export class Weather {
  readonly kernel: Kernel;
  readonly active = new Set<Active>();
  private readonly wires: Wire[] = [];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  wire(): Wire {
    const wire = new Wire(this);
    this.wires.push(wire);
    return wire;
  }

  /** Begins; the result ends it. */
  begin(disturbance: Disturbance): () => void {
    const active: Active = { disturbance, waiting: new Set() };
    this.active.add(active);
    for (const wire of this.wires) wire.disturbed(disturbance);
    return () => {
      this.active.delete(active);
      for (const resume of active.waiting) resume();
      active.waiting.clear();
    };
  }

  /** Open lists and watches of all executors break off. */
  breakStreams(error: () => RegaugeError): void {
    for (const wire of this.wires) wire.breakStreams(error);
  }
}

interface UnderWay {
  readonly call: PortCall;
  failure: RegaugeError | undefined;
}

type Rejection = (error: Error) => void;

export class Wire {
  private readonly weather: Weather;
  private readonly underWay = new Set<UnderWay>();
  private readonly reading = new Set<Rejection>();
  private isCut = false;
  private countdown: { left: number; readonly action: (call: PortCall) => void } | undefined;

  constructor(weather: Weather) {
    this.weather = weather;
  }

  /** Nothing is sent and nothing answered on it from now on. */
  cut(): void {
    this.isCut = true;
  }

  /** Runs the action when this many more calls have been sent, before the answer of the last. */
  afterCalls(count: number, action: (call: PortCall) => void): void {
    this.countdown = { left: count, action };
  }

  disturbed({ onCallsUnderWay }: Disturbance): void {
    if (onCallsUnderWay === undefined) return;
    for (const call of this.underWay) call.failure ??= onCallsUnderWay(call.call);
  }

  breakStreams(error: () => RegaugeError): void {
    for (const reject of this.reading) reject(error());
    this.reading.clear();
  }

  around(ports: Ports): Ports {
    return {
      clock: {
        now: () => ports.clock.now(),
        sleep: (milliseconds) => this.heard(ports.clock.sleep(milliseconds)),
      },
      kubernetes: this.wrapped('kubernetes', ports.kubernetes),
      nodeHost: this.wrapped('nodeHost', ports.nodeHost),
      helm: this.wrapped('helm', ports.helm),
      prober: this.wrapped('prober', ports.prober),
    };
  }

  private wrapped<T extends object>(port: keyof Ports, target: T): T {
    const known = new Map<string | symbol, unknown>();
    return new Proxy(target, {
      get: (_target, key) => {
        let made = known.get(key);
        if (made !== undefined) return made;
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        const call: PortCall = { port, method: String(key) };
        made = (...args: unknown[]) => this.send(call, () => Reflect.apply(member, target, args));
        known.set(key, made);
        return made;
      },
    });
  }

  private send(call: PortCall, work: () => unknown): unknown {
    if (this.isCut) return NEVER;
    if (STREAMS.has(call.method)) return this.stream(work() as AsyncIterable<unknown>); // as the port says
    const active = this.weather.active.size === 0 ? undefined : this.effectOn(call);
    if (active === undefined) return this.done(call, work);
    return this.disturbedCall(call, work, active);
  }

  private done(call: PortCall, work: () => unknown): Promise<unknown> {
    const answer = work() as Promise<unknown>; // every other method of a port answers with one
    const entry: UnderWay = { call, failure: undefined };
    this.underWay.add(entry);
    this.count(call);
    return this.heard(answer, entry);
  }

  private count(call: PortCall): void {
    const { countdown } = this;
    if (countdown === undefined) return;
    countdown.left -= 1;
    if (countdown.left > 0) return;
    this.countdown = undefined;
    countdown.action(call);
  }

  private effectOn(call: PortCall): { effect: Effect; active: Active } | undefined {
    for (const active of this.weather.active) {
      const effect = active.disturbance.effectOn(call);
      if (effect !== undefined) return { effect, active };
    }
    return undefined;
  }

  private disturbedCall(
    call: PortCall,
    work: () => unknown,
    { effect, active }: { effect: Effect; active: Active },
  ): Promise<unknown> {
    if (effect.kind === 'refused') {
      const refusal = this.weather.kernel.answer(REFUSAL_MS, () => {
        throw effect.error();
      });
      return this.heard(refusal);
    }
    if (effect.kind === 'held') {
      // Whatever else is wrong by then is met on the second try.
      const turn = this.wait(active, effect).then(() => this.send(call, work));
      return this.heard(turn);
    }
    const done = Promise.resolve(work());
    done.catch(() => undefined);
    return this.heard(this.wait(active, effect).then(() => done));
  }

  private wait(
    { waiting }: Active,
    { patienceMs, error }: Exclude<Effect, { kind: 'refused' }>,
  ): Promise<void> {
    const { kernel } = this.weather;
    const answer = kernel.deferred<void>();
    const resume = (): void => {
      timer.cancel();
      kernel.after(REFUSAL_MS, () => answer.resolve());
    };
    const timer = kernel.after(patienceMs, () => {
      waiting.delete(resume);
      answer.reject(error());
    });
    waiting.add(resume);
    return answer.promise;
  }

  /** The answer, unless nobody is there to hear it. */
  private heard<T>(answer: Promise<T>, entry?: UnderWay): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (): boolean => {
        if (entry !== undefined) this.underWay.delete(entry);
        return this.isCut;
      };
      answer.then(
        (value) => {
          if (end()) return;
          if (entry?.failure === undefined) resolve(value);
          else reject(entry.failure);
        },
        (error: Error) => {
          if (!end()) reject(entry?.failure ?? error);
        },
      );
    });
  }

  private stream(source: AsyncIterable<unknown>): AsyncIterable<unknown> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = source[Symbol.asyncIterator]();
        return {
          next: () => this.read(() => iterator.next()),
          return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
        };
      },
    };
  }

  private read(next: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> {
    if (this.isCut) return NEVER;
    return new Promise((resolve, reject) => {
      this.reading.add(reject);
      const settled = (): boolean => {
        this.reading.delete(reject);
        return !this.isCut;
      };
      next().then(
        (result) => {
          if (settled()) resolve(result);
        },
        (error: Error) => {
          if (settled()) reject(error);
        },
      );
    });
  }
}

/** A refusal takes as long as any answer. */
const REFUSAL_MS = 4;
const STREAMS: ReadonlySet<string> = new Set(['pages', 'watch', 'logs']);
const NEVER = new Promise<never>(() => undefined);
