/** The commands that wait: `kubectl rollout` and `kubectl wait`. */
import { badInput } from '../../../base/errors.ts';
import type { KubectlCommand } from '../../../model/runbook.ts';
import { argument, secondsOf, valueOfFlag } from '../flags.ts';
import type { ParsedCommand } from '../flags.ts';
import { placeAt } from '../shell-words.ts';
import { namespaced, namespaceOf, oneTarget, selected, targetsOf } from './targets.ts';

/** What `kubectl wait` waits when nothing is said (kubectl wait --timeout). */
const WAIT_SECONDS = 30;

export function rollout(command: ParsedCommand): readonly KubectlCommand[] {
  const verb = argument(command, 0, 'restart or status');
  const rest = { ...command, args: command.args.slice(1) };
  const namespace = namespaceOf(command);
  if (verb.text === 'status') {
    const timeoutSeconds = secondsOf(command, '--timeout');
    const patience = timeoutSeconds === undefined || timeoutSeconds === 0 ? {} : { timeoutSeconds };
    return [{ action: 'rollout-status', ...oneTarget(rest), namespace, ...patience }];
  }
  if (verb.text === 'restart') {
    return targetsOf(rest).map((target) => ({
      action: 'rollout-restart',
      namespace,
      ...target,
      ...selected(command),
    }));
  }
  throw badInput(
    `kubectl rollout: "${verb.text}" cannot be rehearsed`,
    placeAt(command.line.yaml, verb.start),
    'Only "kubectl rollout restart" and "kubectl rollout status" can be.',
  );
}

export function waiting(command: ParsedCommand): readonly KubectlCommand[] {
  const until = conditionOf(command);
  const timeoutSeconds = secondsOf(command, '--timeout') ?? WAIT_SECONDS;
  return targetsOf(command).map((target) => {
    const chosen = target.name !== undefined || valueOfFlag(command, '--selector') !== undefined;
    if (!chosen && valueOfFlag(command, '--all') === undefined)
      argument(command, 1, 'the name, or -l with a selector, or --all,');
    const where = { ...namespaced(command), ...selected(command) };
    return { action: 'wait', until, ...target, ...where, timeoutSeconds };
  });
}

function conditionOf(command: ParsedCommand): 'deleted' | { condition: string; status: string } {
  const word = command.flags.get('--for')?.at(-1);
  const [what = '', condition = '', status = 'true'] = (word?.text ?? '').split('=');
  if (what.toLowerCase() === 'delete') return 'deleted';
  const value = STATUSES.get(status.toLowerCase());
  if (what === 'condition' && condition !== '' && value !== undefined)
    return { condition, status: value };
  throw badInput(
    word === undefined
      ? 'kubectl wait: --for is missing'
      : `kubectl wait: --for=${word.text} cannot be rehearsed`,
    placeAt(command.line.yaml, word?.start ?? 0),
    'Write --for=condition=Ready, --for=condition=Ready=false or --for=delete.',
  );
}

const STATUSES = new Map([
  ['true', 'True'],
  ['false', 'False'],
  ['unknown', 'Unknown'],
]);
