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

export function both(expected: unknown, actual: unknown): ReplayedStep {
  return { expected: { value: expected }, actual: { value: actual } };
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
