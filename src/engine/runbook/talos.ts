/** `talosctl` as a runbook says it. Nodes of one command are done at the same time, as talosctl does. */
import { unreachable } from '../../base/assert.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { TalosCommand } from '../../model/runbook.ts';
import { getNode } from '../../steps/pods.ts';
import { type CommandContext, PATIENCE_SECONDS } from './command-context.ts';

const LOOK_MS = 2_000;

export async function talos(context: CommandContext, command: TalosCommand): Promise<void> {
  const { nodeHost } = context.ports;
  switch (command.action) {
    case 'patch':
      return onEach(context, command.nodes, (node) =>
        nodeHost.patchMachineConfig(node, command.patch, command.mode ?? 'auto'),
      );
    case 'service-restart':
      return onEach(context, command.nodes, (node) =>
        nodeHost.restartService(node, command.service),
      );
    case 'reboot':
      return onEach(context, command.nodes, (node) =>
        untilBooted(context, node, command.wait, () => nodeHost.reboot(node)),
      );
    case 'upgrade':
      return onEach(context, command.nodes, (node) =>
        untilBooted(context, node, command.wait, () =>
          nodeHost.upgrade(node, command.image, { preserve: command.preserve ?? false }),
        ),
      );
    case 'upgrade-k8s':
      if (nodeHost.upgradeKubernetes === undefined)
        throw new RegaugeError('refused', 'upgrade-k8s cannot be done through this host access');
      return nodeHost.upgradeKubernetes(command.to);
    default:
      unreachable(command);
  }
}

/** All of them, even when one fails; the first failure is what the command says. */
async function onEach(
  context: CommandContext,
  selectors: readonly string[],
  work: (node: string) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(context.nodes.selected(selectors).map(work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** `--wait` is what talosctl does by default: until the machine has booted, not until it is Ready. */
async function untilBooted(
  { ports }: CommandContext,
  node: string,
  wait: boolean | undefined,
  begin: () => Promise<void>,
): Promise<void> {
  const { kubernetes, clock } = ports;
  const before = await bootIdOf(ports, node);
  await begin();
  if (wait === false) return;
  const deadline = clock.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const now = await bootIdOf({ kubernetes }, node).catch(() => before);
    if (now !== before) return;
    if (clock.now() >= deadline)
      throw new RegaugeError('timeout', `${node} has not come back after ${PATIENCE_SECONDS} s`);
    await clock.sleep(LOOK_MS);
  }
}

async function bootIdOf(
  { kubernetes }: Pick<CommandContext['ports'], 'kubernetes'>,
  node: string,
): Promise<string | undefined> {
  return (await getNode(kubernetes, node))?.status.nodeInfo?.bootID;
}
