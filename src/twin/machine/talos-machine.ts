/**
 * A machine that runs Talos Linux: its config and the modes it is applied in, its manifests, the
 * way it reboots and upgrades by version, and the services that its API restarts (knowledge
 * talos-and-cni-selection.md 4.5, 4.6, 4.10, 4.12).
 */
import { atLeast } from '../../base/versions.ts';
import type { Machine } from '../world.ts';
import { applyConfig, applyPatch, type ApplyHost, type ConfigState } from './config-apply.ts';
import { cordonAsTalos, uncordonOwn } from './cordon.ts';
import { drainBeforeUpgrade, type Evict } from './drain-before-upgrade.ts';
import { losePower, type MachineHost, restorePower, stopAllPods } from './power.ts';
import { setPowerControl } from './power-control.ts';
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
  const { world } = options;
  const state = {
    up: options.isOff !== true,
    busy: false,
    boot: 1,
    version: options.version,
    installed: options.version,
    preserve: true,
    /** Grows when the power is cut: what was under way then does not go on. */
    cuts: 0,
    bootsHeld: false,
  };
  const config: ConfigState = { active: options.config, staged: undefined };
  const name = (): string => options.node().name;

  const machine: TalosMachine = {
    get up() {
      return state.up;
    },
    get bootId() {
      return bootId(name(), state.boot);
    },
    version: () => state.version,
    config: () => config.active,
    patchConfig: (patch, mode) => {
      const answer = applyPatch(applyHost(), config, patch, mode);
      return answer.ok ? { ok: true } : answer;
    },
    reboot,
    upgrade: startUpgrade,
    restartService: (service) => restartService(options, service),
    talos: {
      version: () => state.version,
      stage: () => (state.busy || !state.up ? 'rebooting' : 'running'),
      persistedConfig: () => config.staged ?? config.tried ?? config.active,
      applyConfig: (whole, mode, more = {}) =>
        applyConfig(applyHost(), config, whole, { ...more, mode }),
      install: (image, done) => install(versionOfImage(image), done),
    },
  };
  setPowerControl(machine, { cut: cutPower, restore, holdBoots: () => (state.bootsHeld = true) });
  return machine;

  function applyHost(): ApplyHost {
    return {
      world,
      node: name(),
      version: state.version,
      reboot,
      onApplied: () => options.onConfig(config.active, state.version),
    };
  }

  function reboot(): void {
    if (state.busy) return;
    state.busy = true;
    world.kernel.occur('talos.reboot-started', {
      node: name(),
      message: `${name()} stops its pods to reboot`,
    });
    const { cuts } = state;
    stopAllPods(options, () => {
      if (cuts === state.cuts) goDown();
    });
  }

  function goDown(): void {
    state.up = false;
    const upgrades = state.installed !== state.version;
    world.kernel.occur('talos.runtime-state-lost', {
      node: name(),
      message: `${name()} went down: /run and all of the kernel's network state are gone`,
    });
    // The target's installer decides what is kept, so its mounts hold from here on.
    if (upgrades) options.onVersion(state.installed);
    losePower(options, upgrades ? 'upgrade' : 'reboot', state.preserve);
    planBoot();
  }

  function planBoot(): void {
    const { cuts } = state;
    world.kernel.after(world.constants.rebootMs, () => {
      if (cuts === state.cuts && !state.bootsHeld) boot();
    });
  }

  function cutPower(): void {
    state.cuts += 1;
    state.busy = true;
    if (!state.up) return;
    state.up = false;
    world.kernel.occur('talos.runtime-state-lost', {
      node: name(),
      message: `${name()} lost its power: /run and all of the kernel's network state are gone`,
    });
    losePower(options, 'reboot', true);
  }

  function restore(): void {
    state.bootsHeld = false;
    if (state.up) return;
    state.cuts += 1;
    state.busy = true;
    planBoot();
  }

  function boot(): void {
    // A tried config was never on disk.
    config.trial?.cancel();
    const kept = config.staged ?? config.tried;
    config.trial = undefined;
    config.tried = undefined;
    if (kept !== undefined) {
      config.active = kept;
      config.staged = undefined;
    }
    state.boot += 1;
    const before = state.version;
    state.version = state.installed;
    state.up = true;
    state.busy = false;
    world.kernel.occur(before === state.version ? 'talos.rebooted' : 'talos.os-upgraded', {
      node: name(),
      message:
        before === state.version
          ? `${name()} booted Talos v${state.version}`
          : `${name()} booted Talos v${state.version} after v${before}`,
    });
    restorePower(options);
    describeSystem(options, state.version, machine.bootId);
    uncordonOwn(world, name());
    options.onConfig(config.active, state.version);
  }

  function startUpgrade(image: string, { preserve }: { readonly preserve: boolean }): void {
    if (state.busy) return;
    state.preserve = preserve;
    const target = versionOfImage(image);
    world.kernel.occur('talos.upgrade-started', {
      node: name(),
      message: `${name()} begins to upgrade to ${target === undefined ? image : `Talos v${target}`}`,
    });
    // Up to 1.12 the server drains first; from 1.13 it installs, and the client drains then.
    if (atLeast(state.version, '1.13.0')) {
      install(target, () => drained(reboot));
      return;
    }
    drained(() => install(target, reboot));
  }

  function drained(next: () => void): void {
    cordonAsTalos(world, name());
    drainBeforeUpgrade(world, name(), options.evict, next);
  }

  function install(target: string | undefined, next: () => void): void {
    world.kernel.after(world.constants.upgradeInstallMs, () => {
      if (target !== undefined) state.installed = target;
      next();
    });
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
