/** Gates on the probes: names resolve, no path loses packets that carried them before the run. */
import type { FailingPath } from '../../ports/index.ts';
import { fails, HOLDS } from '../../steps/step-module.ts';
import type { GateContext, GateModule } from './gate-context.ts';

export function pathKey({ from, to }: FailingPath): string {
  return `${from.class}@${from.node}>${to.class}@${to.node}`;
}

export const pathsClear: GateModule<'paths-clear'> = async (context) => {
  const failing = await failingNow(context);
  const [first] = failing;
  return first === undefined ? HOLDS : fails(showFailing(first, failing.length));
};

export const dnsAnswers: GateModule<'dns-answers'> = async (context) => {
  const failing = (await failingNow(context)).filter(({ to }) => to.class.startsWith('dns-'));
  const [first] = failing;
  return first === undefined ? HOLDS : fails(showFailing(first, failing.length));
};

async function failingNow({ ports, failingBefore }: GateContext): Promise<readonly FailingPath[]> {
  return (await ports.prober.failing()).filter((path) => !failingBefore.has(pathKey(path)));
}

function showFailing(path: FailingPath, count: number): string {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${path.from.class} on ${path.from.node} does not reach ${path.to.class} on ${path.to.node}: ${path.message}${more}`;
}
