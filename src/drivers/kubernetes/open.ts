/**
 * Opens a cluster by the user's usual settings: KUBECONFIG (several files), `--kubeconfig`,
 * `--context`, `--as`, `--as-group`, or the service account inside a cluster. Nothing is asked of
 * the server before the first call.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import { ApiClient, type RequestRecord } from './api-client.ts';
import { type Limits, LIMITS } from './attempt.ts';
import { createKubernetesPort } from './create-port.ts';
import { Credentials } from './credentials.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { Throttle } from './throttle.ts';
import { systemTimers, type Timers } from './timers.ts';

export interface OpenOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
  /** `process.env` when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** 20 when absent. */
  readonly requestsPerSecond?: number;
  /** Whether a credential plugin may talk to the person; on a terminal when absent. */
  readonly isInteractive?: boolean;
  readonly userAgent?: string;
  readonly onRequest?: (record: RequestRecord) => void;
  readonly timers?: Timers;
  readonly limits?: Partial<Limits>;
}

export interface OpenedKubernetes extends KubernetesPort {
  readonly describe: {
    readonly context: string;
    readonly server: string;
    readonly user: string;
    /** Of the context: where objects without a namespace are. */
    readonly namespace: string;
  };
  close(): Promise<void>;
}

const REQUESTS_PER_SECOND = 20;
/** A plugin may wait for a login in a browser. */
const PLUGIN_MS = 120_000;

export async function openKubernetes(options: OpenOptions = {}): Promise<OpenedKubernetes> {
  const { as, asGroups, timers = systemTimers, requestsPerSecond = REQUESTS_PER_SECOND } = options;
  const environment = options.environment ?? process.env;
  if (asGroups !== undefined && asGroups.length > 0 && as === undefined) {
    throw new RegaugeError('usage', '--as-group is of use with --as only');
  }
  const { kubeconfig, context } = options;
  const chosen = readKubeconfig({
    environment,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const isInteractive = options.isInteractive ?? process.stderr.isTTY;
  const credentials = await Credentials.open(
    chosen,
    {
      ...(as === undefined ? {} : { as }),
      ...(asGroups === undefined ? {} : { asGroups }),
    },
    { environment, timeoutMs: PLUGIN_MS, messages: isInteractive ? 'inherit' : 'ignore' },
  );
  const client = new ApiClient({
    credentials,
    throttle: new Throttle(timers, requestsPerSecond),
    timers,
    limits: { ...LIMITS, ...options.limits },
    userAgent: options.userAgent ?? 'regauge',
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
  });
  return {
    ...createKubernetesPort(client),
    describe: {
      context: credentials.context,
      server: client.server,
      user: credentials.user,
      namespace: credentials.namespace,
    },
    close: () => {
      credentials.close();
      return Promise.resolve();
    },
  };
}
