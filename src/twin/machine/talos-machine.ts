/**
 * A machine that runs Talos Linux: its config and the modes it is applied in, its manifests, the
 * way it reboots and upgrades by version, and the services that its API restarts (knowledge
 * talos-and-cni-selection.md 4.5, 4.6, 4.10, 4.12).
 */
import { atLeast } from '../../base/versions.ts';
import type { OccurrenceKind } from '../../model/occurrence-kind.ts';
import type { Machine } from '../world.ts';
import { applyConfig, applyPatch, type ApplyHost, type ConfigState } from './config-apply.ts';
import { cordonAsTalos, uncordonOwn } from './cordon.ts';
import { drainBeforeUpgrade, type Evict } from './drain-before-upgrade.ts';
import { losePower, type MachineHost, restorePower } from './power.ts';
import { setPowerControl } from './power-control.ts';
import { PowerCycle, type PowerTurns } from './power-cycle.ts';
import { talosRelease, versionOfImage } from '../../knowledge/talos-versions.ts';

export interface TalosMachineOptions extends MachineHost {
  readonly config: string;
  /** `1.10.2`. */
  readonly version: string;
  readonly evict: Evict;
  /** The config is now this; called at boot too. */
  readonly onConfig: (config: string, version: string) => void;
  /** The system's version changed: mounts, runtime and plugins follow it. */
  readonly onVersion: (version: string) => void;
}

export interface TalosMachine extends Machine {
  version(): string;
}

export function createTalosMachine(options: TalosMachineOptions): TalosMachine {
  const talos = new TalosSystemOnTwin(options);
  const { power, config } = talos;
  const machine: TalosMachine = {
    get up() {
      return power.up;
    },
    get bootId() {
      return talos.bootId;
    },
    version: () => talos.version,
    config: () => config.active,
    patchConfig: (patch, mode) => {
      const answer = applyPatch(talos.applyHost(), config, patch, mode);
      return answer.ok ? { ok: true } : answer;
    },
    reboot: () => power.reboot(),
    upgrade: (image, how) => talos.upgrade(image, how),
    restartService: (service) => restartService(options, service),
    talos: {
      version: () => talos.version,
      stage: () => (power.busy || !power.up ? 'rebooting' : 'running'),
      persistedConfig: () => config.staged ?? config.tried ?? config.active,
      applyConfig: (whole, mode, more = {}) =>
        applyConfig(talos.applyHost(), config, whole, { ...more, mode }),
      install: (image, done) => talos.install(versionOfImage(image), done),
    },
  };
  setPowerControl(machine, power.control());
  return machine;
}

/** Which version runs and which is installed, the config, and what Talos does as its power comes and goes. */
class TalosSystemOnTwin implements PowerTurns {
  readonly power: PowerCycle;
  readonly config: ConfigState;
  version: string;
  private readonly options: TalosMachineOptions;
  private installed: string;
  private preserve = true;

  constructor(options: TalosMachineOptions) {
    this.options = options;
    this.version = options.version;
    this.installed = options.version;
    this.config = { active: options.config, staged: undefined };
    this.power = new PowerCycle(options, this);
  }

  get bootId(): string {
    return bootId(this.name, this.power.boot);
  }

  applyHost(): ApplyHost {
    const { options, version } = this;
    return {
      world: options.world,
      node: this.name,
      version,
      reboot: () => this.power.reboot(),
      onApplied: () => options.onConfig(this.config.active, this.version),
    };
  }

  upgrade(image: string, { preserve }: { readonly preserve: boolean }): void {
    if (this.power.busy) return;
    this.preserve = preserve;
    const target = versionOfImage(image);
    this.tell(
      'talos.upgrade-started',
      `begins to upgrade to ${target === undefined ? image : `Talos v${target}`}`,
    );
    const reboot = (): void => this.power.reboot();
    // Up to 1.12 the server drains first; from 1.13 it installs, and the client drains then.
    if (atLeast(this.version, '1.13.0')) this.install(target, () => this.drained(reboot));
    else this.drained(() => this.install(target, reboot));
  }

  install(target: string | undefined, next: () => void): void {
    const { kernel, constants } = this.options.world;
    kernel.after(constants.upgradeInstallMs, () => {
      if (target !== undefined) this.installed = target;
      next();
    });
  }

  stopping(): void {
    this.tell('talos.reboot-started', 'stops its pods to reboot');
  }

  down(how: 'reboot' | 'cut'): void {
    const what = how === 'cut' ? 'lost its power' : 'went down';
    this.tell(
      'talos.runtime-state-lost',
      `${what}: /run and all of the kernel's network state are gone`,
    );
    if (how === 'cut') {
      losePower(this.options, 'reboot', true);
      return;
    }
    const upgrades = this.installed !== this.version;
    // The target's installer decides what is kept, so its mounts hold from here on.
    if (upgrades) this.options.onVersion(this.installed);
    losePower(this.options, upgrades ? 'upgrade' : 'reboot', this.preserve);
  }

  booted(): void {
    const { options, config, version: before } = this;
    this.takeStaged();
    this.version = this.installed;
    const after = before === this.version ? '' : ` after v${before}`;
    this.tell(
      before === this.version ? 'talos.rebooted' : 'talos.os-upgraded',
      `booted Talos v${this.version}${after}`,
    );
    restorePower(options);
    describeSystem(options, this.version, this.bootId);
    uncordonOwn(options.world, this.name);
    options.onConfig(config.active, this.version);
  }

  private takeStaged(): void {
    const { config } = this;
    // A tried config was never on disk.
    config.trial?.cancel();
    const kept = config.staged ?? config.tried;
    config.trial = undefined;
    config.tried = undefined;
    if (kept === undefined) return;
    config.active = kept;
    config.staged = undefined;
  }

  private drained(next: () => void): void {
    const { world, evict } = this.options;
    cordonAsTalos(world, this.name);
    drainBeforeUpgrade(world, this.name, evict, next);
  }

  private get name(): string {
    return this.options.node().name;
  }

  private tell(kind: OccurrenceKind, what: string): void {
    const { name } = this;
    this.options.world.kernel.occur(kind, { node: name, message: `${name} ${what}` });
  }
}

function restartService(
  options: TalosMachineOptions,
  service: string,
): { readonly ok: true } | { readonly ok: false; readonly message: string } {
  if (service !== 'kubelet' && !service.startsWith('ext-')) {
    return { ok: false, message: `service "${service}" doesn't support restart operation via API` };
  }
  if (service === 'kubelet') {
    const node = options.node();
    options.world.kernel.occur('talos.service-restarted', {
      node: node.name,
      message: `service kubelet of ${node.name} was restarted: its token cache is empty`,
    });
    node.kubelet.restart();
  }
  return { ok: true };
}

function describeSystem(options: TalosMachineOptions, version: string, boot: string): void {
  const release = talosRelease(version);
  options.world.store.update('Node', undefined, options.node().name, (node) => ({
    ...node,
    status: {
      ...node.status,
      nodeInfo: {
        ...node.status.nodeInfo,
        bootID: boot,
        osImage: `Talos (v${version})`,
        containerRuntimeVersion: `containerd://${options.node().runtime.version}`,
        ...(node.status.nodeInfo?.osImage === `Talos (v${version})`
          ? {}
          : { kernelVersion: release.kernel }),
      },
    },
  }));
}

function bootId(node: string, boot: number): string {
  const digits = [...node].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return `${digits.toString(16).padStart(8, '0')}-0000-4000-8000-${boot.toString(16).padStart(12, '0')}`;
}
