/** How work failed, as people are told it; itself a failure when it did not fail, or not so. */
import { RegaugeError } from '../../src/base/errors.ts';

export async function failureOf(work: Promise<unknown>): Promise<RegaugeError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RegaugeError) return error;
  throw new Error('it did not fail with an error for people', { cause: error });
}
