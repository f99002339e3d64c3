/**
 * Gates on the probes: names resolve, no path loses packets that carried them before the run. Where
 * nothing is known of a node's paths, neither holds.
 */
import type { FailingPath, UnknownPaths } from '../../ports/index.ts';
import { fails, HOLDS, type Verdict } from '../../steps/step-module.ts';
import type { GateContext, GateModule } from './gate-context.ts';

export function pathKey({ from, to }: FailingPath): string {
  return `${from.class}@${from.node}>${to.class}@${to.node}`;
}

export const pathsClear: GateModule<'paths-clear'> = (context) => noneFails(context, () => true);

export const dnsAnswers: GateModule<'dns-answers'> = (context) =>
  noneFails(context, ({ to }) => to.class.startsWith('dns-'));

async function noneFails(
  context: GateContext,
  concerns: (path: FailingPath) => boolean,
): Promise<Verdict> {
  const { ports, failingBefore, gone } = context;
  const failing = (await ports.prober.failing()).filter(
    (path) =>
      concerns(path) &&
      !failingBefore.has(pathKey(path)) &&
      !gone.has(path.from.node) &&
      !gone.has(path.to.node),
  );
  const unknown = ((await ports.prober.unknown?.()) ?? []).filter(({ node }) => !gone.has(node));
  if (failing.length + unknown.length === 0) return HOLDS;
  // One that joined and left between two looks was never of the plan.
  const isThere = await nodesThere(context);
  const lost = failing.filter(({ from, to }) => isThere(from.node) && isThere(to.node));
  const [first] = lost;
  if (first !== undefined) return fails(showFailing(first, lost.length));
  const untold = unknown.filter(({ node }) => isThere(node));
  const [nobody] = untold;
  return nobody === undefined ? HOLDS : fails(showUnknown(nobody, untold.length));
}

/** Of the plan, or in the cluster now. */
async function nodesThere({ plan, nodes }: GateContext): Promise<(name: string) => boolean> {
  const known = new Set(plan.waves.flat());
  if (known.size === 0) return () => true;
  const listed = await nodes.look();
  return (name) => known.has(name) || listed.has(name);
}

function showUnknown({ message, sinceMs }: UnknownPaths, count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more nodes)` : '';
  return `not known for ${Math.round(sinceMs / 1000)} s: ${message}${more}`;
}

function showFailing(path: FailingPath, count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${path.from.class} on ${path.from.node} does not reach ${path.to.class} on ${path.to.node}: ${path.message}${more}`;
}
