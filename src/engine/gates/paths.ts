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
  { ports, failingBefore, gone }: GateContext,
  concerns: (path: FailingPath) => boolean,
): Promise<Verdict> {
  const failing = (await ports.prober.failing()).filter(
    (path) =>
      concerns(path) &&
      !failingBefore.has(pathKey(path)) &&
      !gone.has(path.from.node) &&
      !gone.has(path.to.node),
  );
  const [first] = failing;
  if (first !== undefined) return fails(showFailing(first, failing.length));
  const unknown = ((await ports.prober.unknown?.()) ?? []).filter(({ node }) => !gone.has(node));
  const [nobody] = unknown;
  return nobody === undefined ? HOLDS : fails(showUnknown(nobody, unknown.length));
}

function showUnknown({ message, sinceMs }: UnknownPaths, count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more nodes)` : '';
  return `not known for ${Math.round(sinceMs / 1000)} s: ${message}${more}`;
}

function showFailing(path: FailingPath, count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${path.from.class} on ${path.from.node} does not reach ${path.to.class} on ${path.to.node}: ${path.message}${more}`;
}
