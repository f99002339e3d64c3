/** `helm` and a person's own hand on files of a node. */
import { unreachable } from '../../base/assert.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { FilesCommand, HelmCommand } from '../../model/runbook.ts';
import type { CommandContext } from './command-context.ts';

export async function helm({ ports }: CommandContext, command: HelmCommand): Promise<void> {
  const { release, namespace } = command;
  switch (command.action) {
    case 'install':
    case 'upgrade': {
      const { version, values } = command;
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
      await ports.helm.upgradeOrInstall({ release, namespace, chart: 'cilium', version, values });
      return;
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
