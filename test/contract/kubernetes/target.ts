/**
 * What the Kubernetes contract is run against: the twin in memory, the twin over HTTPS through the
 * real adapter, a real API server. A target says what it has not; what all must do is not optional.
 */
import { describe } from 'vitest';
import type { ConfigMapObject, KubeObject, PodObject } from '../../../src/model/kubernetes.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';

export interface KubernetesTarget {
  readonly port: KubernetesPort;
  /** Exists, and is the test's alone. */
  readonly namespace: string;
  /** Runs calls of the port to their end; where time is virtual it passes only here. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Lets this much of the target's time pass, inside of `run`. */
  pass(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/** What not every target has. */
export interface Abilities {
  /** A node whose kubelet runs pods: exec and logs. */
  readonly nodes?: NodeAbility;
  /** Its time can be made to pass, so that bookmarks come within a test. */
  readonly bookmarks?: boolean;
  /** Makes versions of before unknown (compaction, a restarted server). */
  readonly expire?: (target: KubernetesTarget) => Promise<void>;
  /** The disruption controller runs, or the API works budgets out by itself. */
  readonly budgets?: boolean;
  /** Sends a request with a token that nobody issued. */
  readonly strangerAsks: (target: KubernetesTarget) => Promise<void>;
  /** Holds some finished API behaviour back on purpose; say why in the target. */
  readonly without?: readonly string[];
}

/** A pod that runs when the target is made, with `/etc/cni` of its node mounted at `/host/cni`. */
export interface NodeAbility {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** A file below `/host/cni/net.d`, and a text it holds. */
  readonly file: string;
  readonly holds: string;
}

export interface TargetKind extends Abilities {
  readonly name: string;
  make(): Promise<KubernetesTarget>;
}

/** One target for one test: what a test does is nobody else's. */
export type WithTarget = (work: (target: KubernetesTarget) => Promise<void>) => () => Promise<void>;

function withTargets({ make }: TargetKind): WithTarget {
  return (work) => async () => {
    const target = await make();
    try {
      await target.run(() => work(target));
    } finally {
      await target.close();
    }
  };
}

export function group(kind: TargetKind, name: string, define: (on: WithTarget) => void): void {
  describe(`${kind.name}: ${name}`, () => {
    define(withTargets(kind));
  });
}

export function configMap(
  namespace: string,
  name: string,
  more: { readonly data?: Record<string, string>; readonly labels?: Record<string, string> } = {},
): ConfigMapObject {
  const { data, labels } = more;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, ...(labels === undefined ? {} : { labels }) },
    ...(data === undefined ? {} : { data }),
  };
}

export function addressOf({ apiVersion, kind, metadata }: KubeObject) {
  const { namespace, name } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** A pod that no scheduler is to touch, with nothing to run. */
export function podLiteral(
  namespace: string,
  name: string,
  labels: Record<string, string> = {},
): PodObject {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: {
      schedulerName: 'nobody',
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'example.com/none:1' }],
    },
  };
  // A new pod has no status yet; the API gives it one.
  return pod as unknown as PodObject;
}
