/**
 * What is done on a host besides its files: links, sandboxes, services, reboot, and what a kube-proxy
 * left in the kernel. A sandbox lives as long as its pause process; whoever ends that makes the kubelet
 * tear the sandbox down and make another in place, on every runtime and without its tools.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Distribution } from '../../model/facts.ts';
import type { DaemonSetObject, PodObject } from '../../model/kubernetes.ts';
import type { ExecResult, KubernetesPort } from '../../ports/index.ts';
import type { NodeHostPort } from '../../ports/node-host.ts';
import type { HostPods } from './host-pods.ts';
import { isEndUnknown, type NodeCommands, repeated } from './node-commands.ts';
import { type FilterAccess, packetFilter } from './packet-filter.ts';

export type SystemAccess = Pick<
  NodeHostPort,
  'links' | 'removeLink' | 'restartSandbox' | 'cleanKubeProxyRules' | 'reboot' | 'restartService'
> &
  FilterAccess;

export interface HostSystemOptions {
  readonly kubernetes: KubernetesPort;
  readonly commands: NodeCommands;
  readonly pods: HostPods;
  readonly mayCreatePods: boolean;
  readonly distribution: Distribution;
}

const LINKS = '/sys/class/net';
/** A control file of the bonding driver, which stands among the links. */
const NO_LINK = 'bonding_masters';
const HOST_PID = { hostPid: true } as const;

export function hostSystem(options: HostSystemOptions): SystemAccess {
  const { commands, kubernetes, distribution } = options;
  const links = async (node: string): Promise<readonly string[]> => {
    const what = `list the links of ${node}`;
    const result = await repeated(() =>
      commands.read(node, { links: true }, what, () => ['ls', '-1A', `${LINKS}/`]),
    );
    if (result.exitCode !== 0) throw failed(what, result);
    return result.stdout.split('\n').filter((name) => name !== '' && name !== NO_LINK);
  };
  return {
    links,
    removeLink: (node, link) =>
      repeated(async () => {
        const what = `remove link ${link} of ${node}`;
        const result = await commands.own(node, what, () => ['ip', 'link', 'delete', 'dev', link]);
        if (result.exitCode === 0 || !(await links(node)).includes(link)) return;
        throw failed(what, result);
      }),
    restartSandbox: (node, namespace, pod) =>
      restartSandbox(commands, kubernetes, node, namespace, pod),
    cleanKubeProxyRules: (node) =>
      inKubeProxyImage(options, node, `clean up after the kube-proxy on ${node}`, [
        'kube-proxy',
        '--cleanup',
      ]),
    ...packetFilter(commands, (node, command) =>
      inKubeProxyImage(options, node, `remove the nft tables of ${node}`, command),
    ),
    reboot: (node) => systemctl(commands, distribution, node, `reboot ${node}`, ['reboot']),
    restartService: (node, service) =>
      systemctl(commands, distribution, node, `restart service ${service} of ${node}`, [
        // The API server may be what is restarted: nobody could tell us that it was.
        '--no-block',
        'restart',
        service,
      ]),
  };
}

async function inKubeProxyImage(
  { kubernetes, pods, mayCreatePods }: HostSystemOptions,
  node: string,
  what: string,
  command: readonly string[],
): Promise<void> {
  if (!mayCreatePods) {
    throw new RegaugeError('refused', `cannot ${what}: this takes a pod on the node`, {
      hint: 'allow host access with --host-access',
    });
  }
  await pods.runInKubeProxyImage(node, await kubeProxyImage(kubernetes), what, command);
}

/** Of the DaemonSet while it is there, else of the server's own version. */
async function kubeProxyImage(kubernetes: KubernetesPort): Promise<string> {
  const address = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    namespace: 'kube-system',
    name: 'kube-proxy',
  };
  const set = await kubernetes.get<DaemonSetObject>(address);
  const image = set?.spec.template.spec.containers.find(({ name }) => name === 'kube-proxy')?.image;
  if (image !== undefined) return image;
  const { gitVersion } = await kubernetes.version();
  return `registry.k8s.io/kube-proxy:${gitVersion.replace(/\+.*$/, '')}`;
}

async function restartSandbox(
  commands: NodeCommands,
  kubernetes: KubernetesPort,
  node: string,
  namespace: string,
  name: string,
): Promise<void> {
  const what = `restart the sandbox of ${namespace}/${name}`;
  const address = { apiVersion: 'v1', kind: 'Pod', namespace, name };
  const pod = await kubernetes.get<PodObject>(address);
  if (pod?.metadata.uid === undefined) {
    throw new RegaugeError('not-found', `cannot ${what}: there is no such pod`);
  }
  const run = (command: readonly string[]) => commands.own(node, what, () => command, HOST_PID);
  const pauses = await repeated(() => run(['pgrep', '-x', 'pause']));
  const files = pauses.stdout
    .split('\n')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => `/proc/${pid}/cgroup`);
  const { uid } = pod.metadata;
  // The systemd driver writes underscores for dashes.
  const texts = ['-e', `pod${uid}`, '-e', `pod${uid.replaceAll('-', '_')}`];
  const held = await repeated(() => run(['grep', '-H', '-F', ...texts, ...files]));
  const pids = new Set(
    [...held.stdout.matchAll(/^\/proc\/(\d+)\/cgroup:/gm)].map(([, pid = '']) => pid),
  );
  const [pid, second] = [...pids];
  if (pid === undefined || second !== undefined) {
    const many = pid === undefined ? 'no pause process' : `${pids.size} pause processes`;
    throw new RegaugeError('refused', `cannot ${what}: ${many} of it on ${node}`, {
      hint: 'delete the pod instead, or reboot the node',
    });
  }
  const result = await run(['kill', '-9', pid]);
  if (result.exitCode !== 0 && !/no such process/i.test(result.stderr)) throw failed(what, result);
}

async function systemctl(
  commands: NodeCommands,
  distribution: Distribution,
  node: string,
  what: string,
  words: readonly string[],
): Promise<void> {
  if (distribution === 'talos') {
    throw new RegaugeError('refused', `cannot ${what}: on Talos this takes the Talos API`, {
      hint: 'give --talosconfig',
    });
  }
  const command = ['nsenter', '-t', '1', '-m', '--', 'systemctl', ...words];
  try {
    const result = await commands.own(node, what, () => command, HOST_PID);
    if (result.exitCode === 0) return;
    if (result.exitCode === 127 || /No such file|not found in/i.test(result.stderr)) {
      throw new RegaugeError('refused', `cannot ${what}: the host has no systemctl`, {
        hint: 'do it on the node, as its system does it',
      });
    }
    throw failed(what, result);
  } catch (error) {
    // A machine that goes down takes the connection with it.
    if (words[0] === 'reboot' && isEndUnknown(error)) return;
    throw error;
  }
}

function failed(what: string, { exitCode, stderr }: ExecResult): RegaugeError {
  const words = stderr.trim().split('\n').slice(-3).join(' | ').slice(0, 500);
  return new RegaugeError(
    'refused',
    `cannot ${what}: ${words === '' ? `exit ${exitCode}` : words}`,
  );
}
