/**
 * The agent's care for the CNI conf directory: writes its own file once it serves, and, when
 * exclusive, renames every other conf to `.cilium_bak` and goes on watching
 * (C@v1.16.5:daemon/cmd/cni/config.go; truth:P01-P04). Without a path to write it does nothing at
 * all, exclusive or not.
 */
import { atLeast } from '../../../base/versions.ts';
import type { ProcessHost } from '../../world.ts';
import type { Life } from '../life.ts';
import { hostMounts, onHost } from '../../../knowledge/host-mounts.ts';
import { type AgentConfig, agentVersion } from './agent-config.ts';

const HOST_PREFIX = '/host';
const LEGACY_NAME = '05-cilium.conf';
const CONF_NAME = /\.(conf|conflist|json)$/;

export function manageCniConf(host: ProcessHost, life: Life, config: AgentConfig): void {
  const path = pathOnNode(host, config['write-cni-conf-when-ready'] ?? '');
  const exclusive = config['cni-exclusive'] === 'true';
  if (path === '') {
    reportDisabled(host, exclusive);
    return;
  }
  const directory = path.slice(0, path.lastIndexOf('/'));
  const keepUp = (): void => {
    writeOwn(host, path, config);
    renameOthers(host, directory, path.slice(directory.length + 1), exclusive);
  };
  keepUp();
  if (!exclusive) return;
  const stop = host.node.files.watch?.(directory, () => life.after(0, keepUp));
  if (stop !== undefined) life.onEnd(stop);
}

/** By the volume that leads there (chart `cni.confPath`); an agent without one writes for nobody. */
function pathOnNode({ pod, container }: ProcessHost, path: string): string {
  if (path === '') return '';
  const mounted = onHost(hostMounts(pod, container.name), path);
  return mounted?.path ?? path.replace(HOST_PREFIX, '');
}

/** It is so because of what the configuration says, not because of what started the agent this time. */
function reportDisabled(host: ProcessHost, exclusive: boolean): void {
  const { kernel, store } = host.world;
  const ignored = exclusive ? ' (cni-exclusive=true is ignored)' : '';
  const config = store.get('ConfigMap', host.pod.metadata.namespace, 'cilium-config');
  kernel.because(config === undefined ? kernel.causes : store.causesOf(config), () =>
    kernel.occur('cilium-agent.conf-management-disabled', {
      node: host.node.name,
      subject: {
        kind: 'Pod',
        namespace: host.pod.metadata.namespace ?? '',
        name: host.pod.metadata.name,
      },
      message: `CNI Config file: CNI configuration management disabled${ignored}: write-cni-conf-when-ready is not set`,
    }),
  );
}

function writeOwn(host: ProcessHost, path: string, config: AgentConfig): void {
  const { files } = host.node;
  const content = renderConf(host, config);
  if (files.read(path) === content) return;
  // Not readable for others since 1.18 (C:9f97b4564ea9).
  files.write(path, content, { mode: atLeast(agentVersion(host), '1.18.0') ? 0o600 : 0o644 });
}

/** A conf of one's own is taken from `read-cni-conf`; else the one plugin, as the agent renders it. */
function renderConf({ world, pod }: ProcessHost, config: AgentConfig): string {
  const given = config['read-cni-conf'];
  if (given !== undefined && given !== '') {
    const key = given.slice(given.lastIndexOf('/') + 1);
    for (const volume of pod.spec.volumes ?? []) {
      const data = world.store.get(
        'ConfigMap',
        pod.metadata.namespace,
        volume.configMap?.name ?? '',
      )?.data;
      if (data?.[key] !== undefined) return data[key];
    }
  }
  const logFile = config['cni-log-file'] ?? '/var/run/cilium/cilium-cni.log';
  const plugin = {
    type: 'cilium-cni',
    'enable-debug': config['debug'] === 'true',
    'log-file': logFile,
  };
  return `${JSON.stringify({ cniVersion: '0.3.1', name: 'cilium', plugins: [plugin] }, null, 2)}\n`;
}

function renameOthers(host: ProcessHost, directory: string, own: string, exclusive: boolean): void {
  const { files } = host.node;
  for (const name of files.list(directory) ?? []) {
    if (name === own || !CONF_NAME.test(name)) continue;
    if (!exclusive && name !== LEGACY_NAME) continue;
    files.rename(`${directory}/${name}`, `${directory}/${name}.cilium_bak`);
  }
}
