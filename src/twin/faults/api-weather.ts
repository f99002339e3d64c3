/**
 * An API server that asks for patience, fails, hangs, or is not reached, as a client with the patience
 * of our own adapter meets it (drivers/kubernetes/retry.ts: 150 s for 429, 60 s for connections).
 */
import { RegaugeError } from '../../base/errors.ts';
import { type Fault, type FaultScene, overAfter, seconds } from './fault.ts';
import type { Disturbance, Effect, PortCall } from './wire.ts';

const ASKED_MS = 150_000;
const FAILING_MS = 60_000;
/** The deadline of a call of the adapter. */
const DEADLINE_MS = 300_000;

const WRITES = /^(create|apply|replace|patch|delete|evict|upgradeOrInstall|uninstall|rollback)$/;

function isApiCall({ port }: PortCall): boolean {
  return port === 'kubernetes' || port === 'helm';
}

function isWrite({ method }: PortCall): boolean {
  return WRITES.test(method);
}

function during(
  { weather, world }: FaultScene,
  secondsLong: number,
  disturbance: Disturbance,
): ReturnType<Fault['strike']> {
  const end = weather.begin(disturbance);
  world.kernel.after(secondsLong * 1000, end);
  return overAfter(secondsLong);
}

export const apiThrottles: Fault = {
  id: 'api-throttles',
  title: 'The API server answers 429',
  standsFor: 'priority and fairness, or a storm of clients after a reboot',
  source: 'KK apiserver flowcontrol; anchors.md 4.1 no. 4',
  strikes: 'executor',
  parameters: { for: seconds('how long', 1, 60, 600) },
  strike: (scene, { value }) =>
    during(scene, value('for'), {
      effectOn: (call) =>
        isApiCall(call)
          ? held(ASKED_MS, 'throttled', 'the server asked for patience for longer than 150 s (429)')
          : undefined,
    }),
};

export const apiErrors: Fault = {
  id: 'api-errors',
  title: 'The API server answers 500',
  standsFor: 'etcd that is slow or changes its leader',
  source: 'anchors.md 4.1 no. 4; etcdserver: request timed out',
  strikes: 'executor',
  parameters: { for: seconds('how long', 1, 30, 300) },
  strike: (scene, { value }) =>
    during(scene, value('for'), {
      effectOn: (call) => {
        if (!isApiCall(call)) return undefined;
        const message = 'Internal error occurred: etcdserver: request timed out';
        // What may have been done is not asked again by the adapter; a read is.
        if (isWrite(call)) return { kind: 'refused', error: () => error('refused', message) };
        return held(FAILING_MS, 'refused', message);
      },
    }),
};

export const apiHangs: Fault = {
  id: 'api-hangs',
  title: 'The API server takes calls and does not answer',
  standsFor: 'a load balancer that holds connections to a dead backend; a webhook that times out',
  source: 'failure-domains.md 2.2; rancher#52553',
  strikes: 'executor',
  parameters: { for: seconds('how long', 1, 120, 900) },
  strike: (scene, { value }) =>
    during(scene, value('for'), {
      effectOn: (call) =>
        isApiCall(call)
          ? {
              kind: 'unanswered',
              patienceMs: DEADLINE_MS,
              error: () => error('timeout', 'no answer within the 5 min it was given'),
            }
          : undefined,
    }),
};

export const partition: Fault = {
  id: 'partition',
  title: 'The executor reaches neither the API server nor the nodes',
  standsFor: 'a VPN that drops, a firewall that is reloaded, a VIP that moves',
  source: 'anchors.md FM-20; failure-domains.md 2.6 (VIP)',
  strikes: 'executor',
  parameters: { for: seconds('how long', 1, 60, 1800) },
  strike: (scene, { value }) =>
    during(scene, value('for'), {
      effectOn: ({ port }) =>
        port === 'clock' ? undefined : held(FAILING_MS, 'unreachable', 'connect ETIMEDOUT'),
      // Sent, perhaps done, and nobody will say: only what may be done twice is asked again.
      onCallsUnderWay: (call) =>
        isWrite(call) ? error('unreachable', 'connection reset before it had answered') : undefined,
    }),
};

export const watchLost: Fault = {
  id: 'watch-lost',
  title: 'Watches break off, and their version is too old',
  standsFor: 'an API server that restarts; etcd that was compacted',
  source: 'KK apiserver/pkg/storage/cacher: 410 Gone',
  strikes: 'executor',
  parameters: {},
  strike: ({ weather }) => {
    weather.breakStreams(() => error('expired', 'too old resource version'));
    return overAfter(0);
  },
};

function held(patienceMs: number, code: RegaugeError['code'], message: string): Effect {
  return { kind: 'held', patienceMs, error: () => error(code, message) };
}

function error(code: RegaugeError['code'], message: string): RegaugeError {
  return new RegaugeError(code, message);
}
