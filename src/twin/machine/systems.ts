/** What systems of machines do besides what every machine does: Talos's own API, and services with parts of the cluster in them. */
/** A service of the system with parts of the cluster in it, as K3s's. */
export interface SystemService {
  /** Kubelet, runtime and, on a server, API server and etcd are with it. */
  readonly running: boolean;
  /** Flannel is one of its parts, so that each of its starts brings it back. */
  readonly hasFlannel: boolean;
  /** The port of its balancer to the API servers, on 127.0.0.1. */
  readonly localApiPort: number;
}

/** How a config was applied: the mode that was chosen, in which `auto` is none. */
export type ConfigAnswer =
  | { readonly ok: true; readonly mode: 'no-reboot' | 'reboot' | 'staged' | 'try' }
  | { readonly ok: false; readonly message: string };

export interface TalosSystem {
  version(): string;
  /** `rebooting` from the moment it stops its pods until it is up again. */
  stage(): 'running' | 'rebooting';
  /** The config on disk: ahead of the one in force when staged, behind it while one is tried. */
  persistedConfig(): string;
  /** The whole config, as `ApplyConfiguration` takes it; `tryMs` is how long a tried one holds. */
  applyConfig(
    config: string,
    mode: 'auto' | 'no-reboot' | 'reboot' | 'staged' | 'try',
    options?: { readonly tryMs?: number; readonly dryRun?: boolean },
  ): ConfigAnswer;
  /** Only installs, for the next boot; answers in virtual time. */
  install(image: string, done: () => void): void;
}
