/** What the twin's ports share: an API call takes its time, and fails while the API is down. */
import { RegaugeError } from '../../base/errors.ts';
import type { World } from '../world.ts';

export interface Write {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Runs the action after one API round trip; `unreachable` while the control plane is. */
export function apiCall<T>(world: World, action: () => T): Promise<T> {
  return world.kernel.answer(world.constants.apiCallMs, () => {
    requireApi(world);
    return action();
  });
}

/** A write: what it writes is known once the API answers, and webhooks that time out cost their time. */
export function apiWrite<T>(
  world: World,
  describe: () => Write | undefined,
  action: () => T,
): Promise<T> {
  const { kernel, constants } = world;
  const answer = kernel.deferred<T>();
  const attempt = (work: () => void): void => {
    try {
      requireApi(world);
      work();
    } catch (error) {
      answer.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const finish = (): void => attempt(() => answer.resolve(action()));
  kernel.after(constants.apiCallMs, () =>
    attempt(() => {
      const write = describe();
      const verdict = write === undefined ? undefined : verdictOn(world, write);
      const delayMs = verdict?.delayMs ?? 0;
      const settle = (): void => {
        if (verdict?.ok === false) answer.reject(refused(verdict.message));
        else finish();
      };
      if (delayMs === 0) settle();
      else kernel.after(delayMs, settle);
    }),
  );
  return answer.promise;
}

/** What the webhooks of a call of many writes have cost so far. */
export interface Cost {
  ms: number;
  /** Told of each write before it is done. */
  beforeWrite?: () => void;
}

/** A call of many writes: they are answered together, after all that webhooks cost that time out. */
export function apiWrites<T>(world: World, action: (cost: Cost) => T): Promise<T> {
  const { kernel, constants } = world;
  const answer = kernel.deferred<T>();
  kernel.after(constants.apiCallMs, () => {
    const cost: Cost = { ms: 0 };
    const later = (settle: () => void): void => {
      if (cost.ms === 0) settle();
      else kernel.after(cost.ms, settle);
    };
    try {
      requireApi(world);
      const value = action(cost);
      later(() => answer.resolve(value));
    } catch (error) {
      later(() => answer.reject(error instanceof Error ? error : new Error(String(error))));
    }
  });
  return answer.promise;
}

/** Admission of one of the writes of such a call. */
export function admitted(world: World, write: Write, cost: Cost): void {
  cost.beforeWrite?.();
  const verdict = verdictOn(world, write);
  cost.ms += verdict.delayMs ?? 0;
  if (!verdict.ok) throw refused(verdict.message);
}

function verdictOn(
  world: World,
  { operation, kind, namespace, labels }: Write,
): ReturnType<World['api']['admit']> {
  return world.api.admit(operation, kind, namespace, labels);
}

function requireApi(world: World): void {
  if (world.api.healthy()) return;
  throw new RegaugeError(
    'unreachable',
    'the server is currently unable to handle the request: the control plane is down or etcd has no quorum',
  );
}

function refused(message: string): RegaugeError {
  return new RegaugeError('refused', message);
}
