/**
 * What the Helm contract is run against: the twin in memory, and real Helm on the served twin and on
 * a real API server (the real lane: Helm and a chart are needed).
 */
import { describe } from 'vitest';
import type {
  HelmPort,
  HelmValues,
  KubernetesPort,
  ReleaseRequest,
} from '../../../src/ports/index.ts';

export interface HelmTarget {
  readonly port: HelmPort;
  readonly kubernetes: KubernetesPort;
  readonly namespace: string;
  /** Runs calls of the ports to their end; where time is virtual it passes only here. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Leaves the record behind that a Helm leaves which is killed once it has written it. */
  breakOff(status: 'pending-install' | 'pending-upgrade', request: ReleaseRequest): Promise<void>;
  /** Takes everything away again. */
  close(): Promise<void>;
}

export interface TargetKind {
  readonly name: string;
  make(): Promise<HelmTarget>;
}

export const CHART = '1.16.5';

/** Hubble makes certificates by chance; nothing else of it matters here. */
const BASE: HelmValues = { hubble: { enabled: false } };

export function requestFor(
  { namespace }: Pick<HelmTarget, 'namespace'>,
  values: HelmValues = {},
): ReleaseRequest {
  const all = { ...BASE, ...values };
  return { release: 'cilium', namespace, chart: 'cilium', version: CHART, values: all };
}

export type WithTarget = (work: (target: HelmTarget) => Promise<void>) => () => Promise<void>;

export function group(kind: TargetKind, name: string, define: (on: WithTarget) => void): void {
  describe(`helm, ${kind.name}: ${name}`, () => {
    define((work) => async () => {
      const target = await kind.make();
      try {
        await target.run(() => work(target));
      } finally {
        await target.close();
      }
    });
  });
}

/** A key of `cilium-config` as the cluster has it. */
export async function configOf(
  { kubernetes, namespace }: HelmTarget,
  key: string,
): Promise<string | undefined> {
  const config = await kubernetes.get(configAddress(namespace));
  // A ConfigMap's data are texts.
  return (config as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data?.[key];
}

export function configAddress(namespace: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'cilium-config' };
}
