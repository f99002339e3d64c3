/**
 * Ports of an executor that is killed at a chosen call: before it is sent, or when it has taken effect
 * and nobody has heard. A killed executor hears nothing more and sends nothing more; what it had sent
 * still arrives.
 */
import { guarded } from '../../src/engine/run/guard-ports.ts';
import { summaryOf } from '../../src/engine/run/call-summary.ts';
import type { Ports } from '../../src/ports/index.ts';

export interface Kill {
  /** Number of the call, from one, among all calls of this executor. */
  readonly call: number;
  readonly when: 'before' | 'after';
}

export interface Call {
  readonly port: keyof Ports;
  readonly method: string;
  readonly subject: string;
  readonly args: readonly unknown[];
  readonly changes: boolean;
}

export interface CrashingPorts {
  readonly ports: Ports;
  /** Resolves when it was killed. */
  readonly killed: Promise<'killed'>;
  readonly calls: () => number;
}

const QUESTIONS = new Set(
  'sleep get list pages watch version resources logs read machineConfig links etcdMembers status history manifest template failing observations'.split(
    ' ',
  ),
);

/** `onEffect` hears every change that took effect, whoever heard of it. */
export function crashingPorts(
  ports: Ports,
  kill: Kill | undefined,
  onCall: (call: Call, number: number) => void,
  onEffect: (call: Call) => void,
): CrashingPorts {
  let count = 0;
  let isDead = false;
  const heard: (() => void)[] = [];
  const killed = new Promise<'killed'>((resolve) => heard.push(() => resolve('killed')));
  const die = (): void => {
    isDead = true;
    for (const tell of heard) tell();
  };
  const around = <K extends keyof Ports>(name: K): Ports[K] =>
    guarded(ports[name], (method, send, args) => {
      if (method === 'now' || method === 'attend') return send();
      if (isDead) return NEVER;
      count += 1;
      const number = count;
      const changes = !QUESTIONS.has(method);
      const call: Call = { port: name, method, args, changes, ...summaryOf(name, method, args) };
      onCall(call, number);
      if (kill?.call === number && kill.when === 'before') {
        die();
        return NEVER;
      }
      const answer = send();
      if (!(answer instanceof Promise)) return answer;
      return answer.then(
        (value: unknown) => {
          if (changes) onEffect(call);
          if (kill?.call === number) die();
          return isDead ? NEVER : value;
        },
        (error: unknown) => {
          if (kill?.call === number) die();
          if (isDead) return NEVER;
          throw error;
        },
      );
    });
  return {
    ports: {
      clock: around('clock'),
      kubernetes: around('kubernetes'),
      nodeHost: around('nodeHost'),
      helm: around('helm'),
      prober: around('prober'),
    },
    killed,
    calls: () => count,
  };
}

/** What a dead process is told. */
const NEVER = new Promise<never>(() => undefined);
