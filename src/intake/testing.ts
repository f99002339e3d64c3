/** What several tests of intake need: inputs from texts, and the one error that bad input gives. */
import { RegaugeError } from '../base/errors.ts';
import { showSource } from '../base/source.ts';
import type { ClusterInput } from '../model/cluster-input.ts';
import type { IntakeOptions } from './intake.ts';
import { readInput } from './read-input.ts';

/** Files by name: `read({ 'values.yaml': 'cni: …' })`. */
export function read(
  files: Readonly<Record<string, string>>,
  options?: IntakeOptions,
): ClusterInput {
  return readInput(
    Object.entries(files).map(([path, text]) => ({ path, text })),
    options,
  );
}

/** The RegaugeError that the work throws; any other outcome fails the test. */
export function failureOf(work: () => unknown): RegaugeError {
  const error = thrownBy(work);
  if (error instanceof RegaugeError) return error;
  throw error instanceof Error ? error : new Error('nothing was thrown');
}

export function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `file:line:column: message`, as the command line prints it. */
export function spoken({ message, source }: RegaugeError): string {
  return source === undefined ? message : `${showSource(source)}: ${message}`;
}
