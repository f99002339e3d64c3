/** What real clients can ask of an object and a twin does not play, with why, and what to do instead. */
import { type ApiError, notImplemented } from './api-error.ts';

const WHY: Readonly<Record<string, string>> = {
  attach: 'its containers read nothing; `kubectl logs` shows what they wrote',
  ephemeralcontainers:
    'its pods get no further containers; `kubectl debug node/<name>` starts a pod on the node',
  portforward: 'its pods listen on no port of this machine',
  proxy: 'its pods and nodes answer no HTTP',
};

export function unserved(subresource: string | undefined): ApiError {
  const why = WHY[subresource ?? ''];
  const told = why === undefined ? '' : `: ${why}`;
  return notImplemented(`${subresource ?? 'this'} is not served by this twin${told}`);
}
