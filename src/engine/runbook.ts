/**
 * Does what a person meant to type, command by command, through the same ports a plan runs over.
 * There are no gates, as there were none; a command that fails is recorded, and the person goes on
 * unless the step says otherwise.
 */
import { unreachable } from '../base/assert.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { Runbook, RunbookStep } from '../model/runbook.ts';
import type { Ports } from '../ports/index.ts';
import { type CommandContext, readNodeNames } from './runbook/command-context.ts';
import { files, helm } from './runbook/helm-and-files.ts';
import { kubectl } from './runbook/kubectl.ts';
import { showCommand } from './runbook/show-command.ts';
import { talos } from './runbook/talos.ts';

interface CommandOutcome {
  /** `runbook/03`. */
  readonly step: string;
  readonly command: string;
  readonly outcome: 'done' | 'failed';
  readonly message?: string;
  /** Seconds since the start. */
  readonly from: number;
  readonly to: number;
}

export interface RunbookResult {
  readonly outcome: 'done' | 'stopped';
  readonly commands: readonly CommandOutcome[];
  readonly seconds: number;
}

export interface RunbookOptions {
  readonly onEvent?: (event: RunEvent) => void;
  /** Whoever called reads the probes after the run, and stops them. */
  readonly keepProbing?: boolean;
}

export async function runRunbook(
  runbook: Runbook,
  ports: Ports,
  options: RunbookOptions = {},
): Promise<RunbookResult> {
  const startedAt = ports.clock.now();
  const seconds = (): number => (ports.clock.now() - startedAt) / 1000;
  const tell = (event: RunEvent): void => options.onEvent?.(event);
  await ports.prober.start();
  const context: CommandContext = { ports, nodes: await readNodeNames(ports) };
  const commands: CommandOutcome[] = [];
  let stopped = false;
  for (const [index, step] of runbook.steps.entries()) {
    const id = `runbook/${String(index + 1).padStart(2, '0')}`;
    const command = showCommand(step);
    const from = seconds();
    const event = {
      type: 'step',
      step: id,
      phase: 'runbook',
      title: command,
      nodes: nodesOf(step),
    } as const;
    tell({ ...event, at: from, state: 'started' });
    const message = await failureOf(context, step);
    const state = message === undefined ? 'done' : 'failed';
    commands.push({
      step: id,
      command,
      outcome: state,
      from,
      to: seconds(),
      ...(message === undefined ? {} : { message }),
    });
    tell({ ...event, at: seconds(), state, ...(message === undefined ? {} : { message }) });
    stopped = message !== undefined && step.continueOnError === false;
    if (stopped) break;
  }
  if (options.keepProbing !== true) await ports.prober.stop();
  const failed = commands.filter(({ outcome }) => outcome === 'failed').length;
  tell({
    type: 'done',
    at: seconds(),
    message: `${commands.length} of ${runbook.steps.length} commands were typed, ${failed} failed`,
  });
  return { outcome: stopped ? 'stopped' : 'done', commands, seconds: seconds() };
}

async function failureOf(context: CommandContext, step: RunbookStep): Promise<string | undefined> {
  try {
    await perform(context, step);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function perform(context: CommandContext, step: RunbookStep): Promise<void> {
  if ('helm' in step) return helm(context, step.helm);
  if ('kubectl' in step) return kubectl(context, step.kubectl);
  if ('talos' in step) return talos(context, step.talos);
  if ('files' in step) return files(context, step.files);
  if ('wait' in step) return context.ports.clock.sleep(step.wait.seconds * 1000);
  if ('look' in step) return Promise.resolve();
  return unreachable(step);
}

function nodesOf(step: RunbookStep): readonly string[] {
  if ('talos' in step && 'nodes' in step.talos) return step.talos.nodes;
  if ('files' in step) return step.files.nodes;
  return 'kubectl' in step && 'node' in step.kubectl ? [step.kubectl.node] : [];
}
