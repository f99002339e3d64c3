/**
 * Proves by packets that policies are enforced: a pod of our own is reached from every node, a policy
 * closes it, and then it is reached from none. Both are gone again in the end, also after a failure.
 */
import { closingPolicy } from '../knowledge/probes/objects.ts';
import type { ClosedPath, Ports } from '../ports/index.ts';
import { fails, HOLDS, type StepContext, type StepModule, type Verdict } from './step-module.ts';
import { waitUntil } from './waiting.ts';

export const provePolicies: StepModule<'prove-policies'> = {
  observe: () => Promise.resolve('todo'),

  async act(context) {
    const { ports, deadline } = context;
    // Of a run that was killed here: with it, nobody would reach the pod in the first place.
    await removePolicy(context);
    const open = await waitUntil(ports.clock, deadline, async () => everybody(await asked(ports)));
    if (!open.holds) throw new Error(`cannot be proved: ${open.message}`);
    await ports.kubernetes.apply(closingPolicy(), { force: true });
    try {
      const closed = await waitUntil(ports.clock, deadline, async () => nobody(await asked(ports)));
      if (!closed.holds) throw new Error(closed.message);
    } finally {
      await removePolicy(context);
    }
  },

  verify: () => Promise.resolve(HOLDS),

  undo: () => null,
};

async function asked({ prober }: Ports): Promise<readonly ClosedPath[] | undefined> {
  return prober.forbidden?.();
}

/** Without the policy: else a connection that fails proves nothing. */
function everybody(paths: readonly ClosedPath[] | undefined): Verdict {
  if (paths === undefined) return fails('these probes cannot ask for a pod that a policy closes');
  if (paths.length === 0) return fails('no probe has asked for the pod yet');
  const missing = paths.find(({ reached }) => reached !== true);
  return missing === undefined
    ? HOLDS
    : fails(
        `the pod on ${missing.to.node} is not reached from ${missing.from.node} without a policy`,
      );
}

function nobody(paths: readonly ClosedPath[] | undefined): Verdict {
  const through = paths?.find(({ reached }) => reached !== false);
  return through === undefined
    ? HOLDS
    : fails(
        `${through.from.node} reaches a pod on ${through.to.node} that a NetworkPolicy closes: policies are not enforced there`,
      );
}

async function removePolicy({ ports }: StepContext): Promise<void> {
  const { apiVersion, kind, metadata } = closingPolicy();
  const { namespace, name } = metadata;
  const place = namespace === undefined ? {} : { namespace };
  await ports.kubernetes.delete({ apiVersion, kind, name, ...place });
}
