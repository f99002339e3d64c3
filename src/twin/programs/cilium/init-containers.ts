/**
 * The agent's init containers that matter: `config` resolves the configuration and needs the API
 * server for it; `install-cni-binaries` puts the plugin back on every pod start, whatever customConf
 * says, and the loopback plugin where there is none (cilium-and-flannel.md 1, 2; C:plugins/cilium-cni/install-plugin.sh).
 */
import type { Process, ProcessHost } from '../../world.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { pluginBinary } from '../../node/plugin-binary.ts';
import { apiAccess } from '../api-access.ts';
import { initStep } from '../app.ts';
import { Life } from '../life.ts';
import { agentVersion, buildConfig } from './agent-config.ts';
import { tellApiFailure } from './api-failure.ts';

export function buildConfigStep(host: ProcessHost): Process {
  const { world } = host;
  const life = new Life(world.kernel);
  const fail = (message: string): void => {
    life.end('exited');
    host.exit(1, `Build config failed: failed to start: ${message}`);
  };
  life.after(world.constants.containerStartMs, () => {
    const access = apiAccess(host);
    if (!access.ok) {
      const { apiCallMs, ciliumConfigApiTimeoutMs } = world.constants;
      const wait = access.failure === 'unauthorized' ? apiCallMs : ciliumConfigApiTimeoutMs;
      life.after(wait, () => {
        tellApiFailure(host, access);
        fail(access.message);
      });
      return;
    }
    const config = buildConfig(host);
    if (config === undefined) {
      fail('configmaps "cilium-config" not found');
      return;
    }
    networkOf(host.node).scratch.set(host.pod.metadata.uid ?? '', config);
    life.end('exited');
    host.exit(0);
  });
  return life.asProcess();
}

export const installCniBinaries = initStep((host) => {
  const directory = mountedHostPath(host, 'cni-path') ?? '/opt/cni/bin';
  const { files } = host.node;
  if (!files.exists(`${directory}/loopback`))
    files.write(`${directory}/loopback`, pluginBinary('loopback'), { mode: 0o755 });
  files.write(`${directory}/cilium-cni`, `cilium-cni ${agentVersion(host)}`, {
    mode: 0o755,
  });
  return undefined;
});

function mountedHostPath({ pod }: ProcessHost, volume: string): string | undefined {
  return pod.spec.volumes?.find(({ name }) => name === volume)?.hostPath?.path;
}
