/**
 * A machine with an ordinary systemd distribution under kubeadm, K3s or RKE2: no machine config, a
 * plain reboot that does not drain, and services that can all be restarted.
 */
import type { Machine } from '../world.ts';
import { losePower, type MachineHost, restorePower, stopAllPods } from './power.ts';

export function createSystemdMachine(host: MachineHost): Machine {
  const { world } = host;
  const state = { up: host.isOff !== true, busy: false, boot: 1 };
  const noConfig = { ok: false, message: 'this distribution has no machine config' } as const;

  return {
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
  };

  function reboot(): void {
    if (state.busy) return;
    state.busy = true;
    const { name } = host.node();
    world.kernel.occur('machine.reboot-started', {
      node: name,
      message: `${name} stops its pods to reboot`,
    });
    stopAllPods(host, () => {
      state.up = false;
      world.kernel.occur('machine.runtime-state-lost', {
        node: name,
        message: `${name} went down: /run is gone`,
      });
      losePower(host, 'reboot', true);
      world.kernel.after(world.constants.rebootMs, boot);
    });
  }

  function boot(): void {
    state.boot += 1;
    state.up = true;
    state.busy = false;
    const { name } = host.node();
    world.kernel.occur('machine.rebooted', { node: name, message: `${name} booted` });
    restorePower(host);
  }

  function restartService(
    service: string,
  ): { readonly ok: true } | { readonly ok: false; readonly message: string } {
    const node = host.node();
    if (/kubelet|k3s|rke2/.test(service)) node.kubelet.restart();
    else if (/containerd|crio/.test(service)) node.runtime.restart();
    else
      return {
        ok: false,
        message: `Failed to restart ${service}.service: Unit ${service}.service not found.`,
      };
    return { ok: true };
  }
}
