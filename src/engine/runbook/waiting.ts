/** The commands of a runbook that wait: until a roll-out is over, a condition holds, or something is gone. */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { KubectlCommand } from '../../model/runbook.ts';
import type { ObjectAddress, Ports } from '../../ports/index.ts';
import { rolledOut } from '../../steps/roll-out.ts';
import { type Found, isThere } from './addresses.ts';
import { type CommandContext, PATIENCE_SECONDS } from './command-context.ts';

const LOOK_MS = 1_000;

/** Looks every second until `look` says nothing more is missing; throws `timeout` with what is. */
async function until(
  { clock }: Ports,
  seconds: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = clock.now() + seconds * 1000;
  for (;;) {
    const missing = await look();
    if (missing === undefined) return;
    if (clock.now() >= deadline)
      throw new RegaugeError('timeout', `error: timed out waiting: ${missing}`);
    await clock.sleep(LOOK_MS);
  }
}

/** `kubectl rollout status`; without a time-out as long as a person looks at it. */
export function untilRolledOut(
  { ports }: CommandContext,
  address: ObjectAddress,
  timeoutSeconds = PATIENCE_SECONDS,
): Promise<void> {
  return until(ports, timeoutSeconds, async () => {
    const object = await ports.kubernetes.get(address);
    if (object === undefined)
      throw new RegaugeError(
        'not-found',
        `Error from server (NotFound): ${address.kind} "${address.name}" not found`,
      );
    const verdict = rolledOut(object);
    return verdict.holds ? undefined : verdict.message;
  });
}

export function untilGone(
  { ports }: CommandContext,
  found: readonly Found[],
  timeoutSeconds = PATIENCE_SECONDS,
): Promise<void> {
  return until(ports, timeoutSeconds, async () => {
    for (const address of found)
      if (await isThere(ports, address)) return `${address.kind} ${address.name} is there still`;
    return undefined;
  });
}

type Wait = Extract<KubectlCommand, { readonly action: 'wait' }>;

/** Only the objects that were there when the command began, as kubectl does. */
export function waitFor(
  context: CommandContext,
  found: readonly Found[],
  { until: wanted, kind, timeoutSeconds }: Wait,
): Promise<void> {
  if (found.length === 0)
    throw new RegaugeError('not-found', `error: no matching resources found (${kind})`);
  if (wanted === 'deleted') return untilGone(context, found, timeoutSeconds);
  return until(context.ports, timeoutSeconds, async () => {
    for (const address of found) {
      const object = await context.ports.kubernetes.get<WithConditions>(address);
      const held = object?.status?.conditions?.find(({ type }) => type === wanted.condition);
      if (held?.status !== wanted.status)
        return `the condition ${wanted.condition} of ${kind} ${address.name} is ${held?.status ?? 'not there'}`;
    }
    return undefined;
  });
}

interface WithConditions extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}
