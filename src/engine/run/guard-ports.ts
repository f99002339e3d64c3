/**
 * The ports as a run may use them: what changes something is written to the audit log first, then
 * sent only while the run holds its lease; what only asks is let go when the run is stopped. A method
 * that is not known to be a question counts as a change.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Ports } from '../../ports/index.ts';
import type { AuditLog } from './audit-log.ts';
import { type CallSummary, summaryOf } from './call-summary.ts';
import type { RunControl } from './run-control.ts';

/** Holds a run off what is no longer its own to change. */
export interface Fence {
  /** Grows with every holder: of two, the lower one is the older. */
  readonly token: number;
  /** Throws `RunHalted` when somebody else holds the cluster now; the failure, when that is not known. */
  check(): Promise<void>;
  /** For how long a call that is sent now is sure to be ours (milliseconds). */
  remainingMs(): number;
}

export interface Guard {
  readonly control: RunControl;
  readonly fence: Fence;
  readonly audit: AuditLog;
}

const QUESTIONS: Readonly<Record<keyof Ports, ReadonlySet<string>>> = {
  clock: new Set(['sleep']),
  kubernetes: new Set([
    'get',
    'list',
    'pages',
    'watch',
    'version',
    'authenticationFailures',
    'resources',
    'logs',
  ]),
  nodeHost: new Set(['list', 'read', 'machineConfig', 'links', 'leftRules', 'etcdMembers']),
  helm: new Set(['status', 'history', 'manifest', 'template']),
  prober: new Set(['failing', 'observations', 'unknown']),
};

/** Asks nobody: also a run that was stopped may. */
const IMMEDIATE = new Set(['now', 'attend']);

/** The ports for one step, or for the run itself. */
export function guardPorts(ports: Ports, guard: Guard, step?: string): Ports {
  const around = <K extends keyof Ports>(name: K): Ports[K] =>
    guarded(ports[name], (method, call, args) => {
      if (IMMEDIATE.has(method)) return call();
      if (!QUESTIONS[name].has(method))
        return change(guard, step, summaryOf(name, method, args), call);
      const answer = call();
      return answer instanceof Promise ? guard.control.interruptible(answer) : answer;
    });
  return {
    clock: around('clock'),
    kubernetes: around('kubernetes'),
    nodeHost: around('nodeHost'),
    helm: around('helm'),
    prober: around('prober'),
  };
}

type Around = (method: string, call: () => unknown, args: readonly unknown[]) => unknown;

/** The same object, with every method call going through `around`. */
export function guarded<T extends object>(port: T, around: Around): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      return (...args: readonly unknown[]): unknown =>
        around(name, () => Reflect.apply(member, target, args) as unknown, args);
    },
  });
}

/** Intent on disk, lease in hand, then the call; its outcome is noted whatever it is. */
async function change(
  { control, fence, audit }: Guard,
  step: string | undefined,
  call: CallSummary,
  send: () => unknown,
): Promise<unknown> {
  control.check();
  const outcome = await audit.intent({
    ...call,
    token: fence.token,
    ...(step === undefined ? {} : { step }),
  });
  try {
    control.check();
    await fence.check();
    control.check();
  } catch (error) {
    outcome('not-sent', messageOf(error));
    throw error;
  }
  try {
    const answer = await send();
    outcome('done');
    return answer;
  } catch (error) {
    outcome(error instanceof RegaugeError ? error.code : 'failed', messageOf(error));
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
