/** The measured steps in the form in which the twin's answers are compared with them. */
import type { SandboxRequest } from '../../src/twin/world.ts';
import type { Json, Step } from './cases.ts';
import { masked } from './normalised.ts';

export interface ReplayedStep {
  readonly expected: Json;
  readonly actual: Json;
}

export function requestOf(
  pod: string,
  mappings: readonly Json[],
  hostNetwork = false,
): SandboxRequest {
  return {
    podUid: pod === '' ? 's' : `uid-${pod}`,
    namespace: 'default',
    name: pod === '' ? 'slow' : `pod-${pod.toLowerCase()}`,
    hostNetwork,
    hostPorts: mappings.map((mapping) => ({
      hostPort: Number(mapping['host_port']),
      containerPort: Number(mapping['container_port']),
      protocol: text(mapping['protocol']),
    })),
  };
}

const GAVE_UP = new Set(['DEADLINE_EXCEEDED', 'CANCELLED']);

export function runExpected(step: Step): Json {
  if (step['ok'] !== true) {
    const error = step['error'];
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
    const message = masked(messageOf(step));
    return { ok: false, error: GAVE_UP.has(String(code)) ? 'context deadline exceeded' : message };
  }
  if (step['ip'] === undefined) return { ok: true };
  return { ok: true, ip: step['ip'], network: step['network'], ifaces: step['ifaces'] };
}

export function messageOf(step: Step): string {
  const { error } = step;
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : '';
}

export function withoutCode(message: string): string {
  return message.replace(/^rpc error: code = \w+ desc = /, '');
}

/** inotify merges equal neighbours, and one write may be several events. */
export function mergedEvents(events: readonly Json[]): readonly Json[] {
  return events.filter(
    (event, index) => JSON.stringify(event) !== JSON.stringify(events[index - 1]),
  );
}

export function slow(measured: unknown): boolean {
  return typeof measured === 'number' && measured > 4_500;
}

/**
 * A measured duration is the twin's timers and what the processes took besides, which is noise: R01 on
 * containerd 1.6.20 took 52.2 s, though the same plugin waits for the same timers (30 s for ADD, twice
 * 10 s for DEL, each looked at every half second) and R03 on that runtime took 50.4 s, as R01 and R03
 * did on all others. It was the first start of a large binary. So: never sooner than the timers say,
 * and at most a twentieth later.
 */
const PROCESS_SHARE = 0.05;

/** The measured seconds where the twin's are the same, else the twin's own. */
export function secondsOf(took: number, measured: number): number {
  const isSame = took <= measured + 500 && took >= measured * (1 - PROCESS_SHARE) - 500;
  return Math.round((isSame ? measured : took) / 1_000);
}

export function both(expected: unknown, actual: unknown): ReplayedStep {
  return { expected: { value: expected }, actual: { value: actual } };
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
