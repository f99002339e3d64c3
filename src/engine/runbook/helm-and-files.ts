/** `helm` and a person's own hand on files of a node. */
import { unreachable } from '../../base/assert.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { FilesCommand, HelmCommand } from '../../model/runbook.ts';
import { mergeValues } from '../../intake/commands/helm-set.ts';
import type { CommandContext } from './command-context.ts';
import { untilRolledOut } from './waiting.ts';

export async function helm({ ports, nodes }: CommandContext, command: HelmCommand): Promise<void> {
  const { release, namespace } = command;
  switch (command.action) {
    case 'install':
    case 'upgrade': {
      if (!/(^|\/)cilium$/.test(command.chart))
        throw new RegaugeError(
          'refused',
          `only the Cilium chart can be played, not ${command.chart}`,
        );
      if (
        command.action === 'install' &&
        (await ports.helm.status(release, namespace)) !== undefined
      ) {
        throw new RegaugeError(
          'refused',
          'Error: INSTALLATION FAILED: cannot re-use a name that is still in use',
        );
      }
      return install({ ports, nodes }, command);
    }
    case 'uninstall':
      return ports.helm.uninstall(release, namespace);
    case 'rollback':
      await ports.helm.rollback(release, namespace, command.revision);
      return;
    default:
      unreachable(command);
  }
}

type Installation = Extract<HelmCommand, { readonly chart: string }>;

/** What `--wait` waits when nothing is said (helm upgrade --help: --timeout 5m0s). */
const HELM_WAIT_SECONDS = 300;

async function install(context: CommandContext, command: Installation): Promise<void> {
  const { helm: port } = context.ports;
  const { release, namespace, version, reuseValues, wait, atomic } = command;
  const before = await port.status(release, namespace);
  const values =
    reuseValues === true ? mergeValues(before?.values ?? {}, command.values) : command.values;
  await port.upgradeOrInstall({ release, namespace, chart: 'cilium', version, values });
  if (wait !== true) return;
  try {
    const seconds = command.timeoutSeconds ?? HELM_WAIT_SECONDS;
    for (const { kind, name } of WORKLOADS)
      await untilRolledOut(context, { apiVersion: 'apps/v1', kind, namespace, name }, seconds);
  } catch (error) {
    if (atomic === true && before === undefined) await port.uninstall(release, namespace);
    else if (atomic === true) await port.rollback(release, namespace, before?.revision);
    throw error;
  }
}

/** What the Cilium chart always installs. */
const WORKLOADS = [
  { kind: 'DaemonSet', name: 'cilium' },
  { kind: 'Deployment', name: 'cilium-operator' },
];

export async function files(
  { ports, nodes }: CommandContext,
  command: FilesCommand,
): Promise<void> {
  const { nodeHost } = ports;
  for (const node of nodes.selected(command.nodes)) {
    for (const change of command.changes) {
      if ('write' in change) await nodeHost.write(node, change.write, change.content, change.mode);
      else if ('remove' in change) await nodeHost.remove(node, change.remove);
      else await nodeHost.rename(node, change.rename, change.to);
    }
  }
}
