/**
 * A running agent and the API server: it looks when something on the way changed, not all the time.
 * A 401 is noticed when the token in use is refused; before 1.17.4 the liveness probe also fails
 * after a while without the API server (cilium-and-flannel.md 7, 9).
 */
import { atLeast } from '../../../base/versions.ts';
import type { ProcessHost } from '../../world.ts';
import { apiAccess, apiEndpoint } from '../api-access.ts';
import { hubOf } from '../hub.ts';
import type { Life } from '../life.ts';
import { agentVersion } from './agent-config.ts';
import { tellApiFailure } from './api-failure.ts';

/** The chart's liveness probe: failure threshold 10. */
const LIVENESS_FAILURES = 10;

export function superviseApi(host: ProcessHost, life: Life): void {
  const { world, node, pod } = host;
  let failures = 0;
  let waiting = false;
  const look = (): void => {
    waiting = false;
    const access = apiAccess(host);
    if (access.ok) {
      failures = 0;
      return;
    }
    if (failures === 0) tellApiFailure(host, access);
    failures += 1;
    if (failures > LIVENESS_FAILURES && !atLeast(agentVersion(host), '1.17.4')) {
      host.setLive(false);
      return;
    }
    lookIn(world.constants.ciliumLivenessPeriodMs);
  };
  const lookIn = (delay: number): void => {
    if (waiting || life.ended) return;
    waiting = true;
    life.after(delay, look);
  };
  const hub = hubOf(world);
  const account = `${pod.metadata.namespace ?? ''}/${pod.spec.serviceAccountName ?? 'default'}`;
  // client-go reads the token file again about every 50 s; the next request shows what it is worth.
  life.onEnd(
    hub.follow('ServiceAccount', { name: account }, () => lookIn(world.constants.tokenRereadMs)),
  );
  life.onEnd(hub.onNodeChange('*', () => lookIn(world.constants.ciliumLivenessPeriodMs)));
  if (apiEndpoint(host) === undefined) {
    life.onEnd(hub.onNodeChange(node.name, () => lookIn(world.constants.ciliumLivenessPeriodMs)));
  }
}
