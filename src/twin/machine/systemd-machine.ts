/**
 * A machine with an ordinary systemd distribution under kubeadm, K3s or RKE2: no machine config, a
 * plain reboot that does not drain, and services that can all be restarted. Where one service holds the
 * node's parts of the cluster, they start and end with it.
 */
import type { Machine } from '../world.ts';
import { losePower, type MachineHost, restorePower } from './power.ts';
import { setPowerControl } from './power-control.ts';
import { PowerCycle, type PowerTurns } from './power-cycle.ts';
import type { UnitService } from './unit-service.ts';

export function createSystemdMachine(host: MachineHost, service?: UnitService): Machine {
  const power = new PowerCycle(host, turnsOf(host, service));
  const noConfig = { ok: false, message: 'this distribution has no machine config' } as const;
  const machine: Machine = {
    get up() {
      return power.up;
    },
    get bootId() {
      return `${host.node().name}-boot-${power.boot}`;
    },
    config: () => '',
    patchConfig: () => noConfig,
    reboot: () => power.reboot(),
    // The package manager's business; to the CNI an upgrade of the system is its reboot.
    upgrade: () => power.reboot(),
    restartService: (name) => restartService(host, service, name),
    ...(service === undefined ? {} : { service }),
  };
  setPowerControl(machine, power.control());
  return machine;
}

function turnsOf(host: MachineHost, service: UnitService | undefined): PowerTurns {
  const { kernel } = host.world;
  return {
    stopping: () => {
      const { name } = host.node();
      kernel.occur('machine.reboot-started', {
        node: name,
        message: `${name} stops its pods to reboot`,
      });
    },
    down: (how) => {
      const { name } = host.node();
      const what = how === 'cut' ? 'lost its power' : 'went down';
      kernel.occur('machine.runtime-state-lost', {
        node: name,
        message: `${name} ${what}: /run is gone`,
      });
      service?.powerLost();
      losePower(host, 'reboot', true);
    },
    booted: () => {
      const { name } = host.node();
      kernel.occur('machine.rebooted', { node: name, message: `${name} booted` });
      if (service === undefined) restorePower(host);
      else service.start();
    },
  };
}

function restartService(
  host: MachineHost,
  service: UnitService | undefined,
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
