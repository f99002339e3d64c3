/**
 * A machine with an ordinary systemd distribution under kubeadm, K3s or RKE2: no machine config, a
 * plain reboot that does not drain, and services that can all be restarted. Where one service holds the
 * node's parts of the cluster, they start and end with it.
 */
import type { Machine } from '../world.ts';
import { losePower, type MachineHost, restorePower, stopAllPods } from './power.ts';
import { setPowerControl } from './power-control.ts';
import type { UnitService } from './unit-service.ts';

export function createSystemdMachine(host: MachineHost, service?: UnitService): Machine {
  const { world } = host;
  // `cuts` grows when the power is cut: what was under way then does not go on.
  const state = { up: host.isOff !== true, busy: false, boot: 1, cuts: 0, bootsHeld: false };
  const noConfig = { ok: false, message: 'this distribution has no machine config' } as const;

  const machine: Machine = {
    get up() {
      return state.up;
    },
    get bootId() {
      return `${host.node().name}-boot-${state.boot}`;
    },
    config: () => '',
    patchConfig: () => noConfig,
    reboot,
    // The package manager's business; to the CNI an upgrade of the system is its reboot.
    upgrade: reboot,
    restartService,
    ...(service === undefined ? {} : { service }),
  };
  setPowerControl(machine, { cut: cutPower, restore, holdBoots: () => (state.bootsHeld = true) });
  return machine;

  function reboot(): void {
    if (state.busy) return;
    state.busy = true;
    const { name } = host.node();
    world.kernel.occur('machine.reboot-started', {
      node: name,
      message: `${name} stops its pods to reboot`,
    });
    const { cuts } = state;
    stopAllPods(host, () => {
      if (cuts === state.cuts) goDown(`${name} went down: /run is gone`);
      if (cuts === state.cuts) planBoot();
    });
  }

  function goDown(message: string): void {
    state.up = false;
    world.kernel.occur('machine.runtime-state-lost', { node: host.node().name, message });
    service?.powerLost();
    losePower(host, 'reboot', true);
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
    if (state.up) goDown(`${host.node().name} lost its power: /run is gone`);
  }

  function restore(): void {
    state.bootsHeld = false;
    if (state.up) return;
    state.cuts += 1;
    state.busy = true;
    planBoot();
  }

  function boot(): void {
    state.boot += 1;
    state.up = true;
    state.busy = false;
    const { name } = host.node();
    world.kernel.occur('machine.rebooted', { node: name, message: `${name} booted` });
    if (service === undefined) restorePower(host);
    else service.start();
  }

  function restartService(
    name: string,
  ): { readonly ok: true } | { readonly ok: false; readonly message: string } {
    const node = host.node();
    if (service !== undefined && name === service.unit) service.restart();
    else if (service === undefined && /kubelet|k3s|rke2/.test(name)) node.kubelet.restart();
    else if (service === undefined && /containerd|crio/.test(name)) node.runtime.restart();
    else
      return {
        ok: false,
        message: `Failed to restart ${name}.service: Unit ${name}.service not found.`,
      };
    return { ok: true };
  }
}
