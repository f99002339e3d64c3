/** What the twin's ports share: an API call takes its time, and fails while the API is down. */
import { RegaugeError } from '../../base/errors.ts';
import type { World } from '../world.ts';

/** Runs the action after one API round trip; `unreachable` while the control plane is. */
export function apiCall<T>(world: World, action: () => T): Promise<T> {
  return world.kernel.answer(world.constants.apiCallMs, () => {
    if (!world.api.healthy()) {
      throw new RegaugeError(
        'unreachable',
        'the server is currently unable to handle the request: the control plane is down or etcd has no quorum',
      );
    }
    return action();
  });
}

/** Admission of a write as the API server does it; refused with the webhook's own message. */
export function admitted(
  world: World,
  operation: 'CREATE' | 'UPDATE' | 'DELETE',
  kind: string,
  namespace: string | undefined,
): void {
  const verdict = world.api.admit(operation, kind, namespace);
  if (!verdict.ok) throw new RegaugeError('refused', verdict.message);
}
