/**
 * The user's own `helm` behind the Helm port. Nothing is started before the first call, and the
 * version is asked once. Values go through standard input only: never through arguments or files.
 */
import type { HelmPort } from '../../ports/index.ts';
import { type Kubeconfig, readKubeconfig } from '../kubernetes/kubeconfig.ts';
import type { Capabilities } from './capabilities.ts';
import { childEnvironment, type Environment } from './environment.ts';
import { HelmClient } from './helm-client.ts';
import { type HelmContext, reads, writes } from './port.ts';

export interface HelmOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
  /** `process.env` when absent. */
  readonly environment?: Environment;
  /** `HELM_BIN` of the environment, else `helm` in PATH, when absent. */
  readonly binary?: string;
  /**
   * Where the Cilium chart is: a repository (`https://helm.cilium.io/`, the default), a reference
   * (`oci://quay.io/cilium/charts/cilium`, `repository/cilium`), or a folder or archive of this
   * machine, which must be of the version asked for. `{version}` in it stands for that version.
   */
  readonly chart?: string;
  /** Of the cluster, for `template` (`clusterCapabilities`); Helm's own assumptions when absent. */
  readonly capabilities?: () => Promise<Capabilities>;
  /** How long an unfinished release must stand still before it is repaired; 20 s when absent. */
  readonly settleMs?: number;
}

export interface OpenedHelm extends HelmPort {
  /** `3.19.0`; `bad-input` when there is no Helm that can be used. */
  version(): Promise<string>;
}

const SETTLE_MS = 20_000;
/** Throws `bad-input` when the kubeconfig cannot be read or names no such context. */
export function openHelm(options: HelmOptions = {}): OpenedHelm {
  const { capabilities, chart, settleMs = SETTLE_MS } = options;
  const environment = options.environment ?? process.env;
  const chosen = readKubeconfig({ ...options, environment });
  const helm = new HelmClient({
    binary: options.binary ?? (environment['HELM_BIN'] || 'helm'),
    environment: childEnvironment({
      environment,
      kubeconfig: options.kubeconfig,
      hasPlugin: hasPlugin(chosen),
    }),
    cluster: clusterFlags(chosen, options),
    chart,
  });
  const context: HelmContext = {
    helm,
    repairs: { settleMs },
    ...(capabilities === undefined ? {} : { capabilities }),
  };
  return { version: () => helm.version(), ...reads(context), ...writes(context) };
}

function hasPlugin(chosen: Kubeconfig): boolean {
  return (
    chosen !== 'in-cluster' &&
    ['exec', 'auth-provider'].some((key) => (chosen.user[key] ?? null) !== null)
  );
}

/** The context by its name, so that nobody moves us to another one by `kubectl config use-context`. */
function clusterFlags(chosen: Kubeconfig, { as, asGroups = [] }: HelmOptions): readonly string[] {
  return [
    ...(chosen === 'in-cluster' ? [] : ['--kube-context', chosen.context]),
    ...(as === undefined ? [] : ['--kube-as-user', as]),
    ...asGroups.flatMap((group) => ['--kube-as-group', group]),
  ];
}
