/** What the server counts of those it does not know. */
import { expect, it } from 'vitest';
import { group, type TargetKind } from './target.ts';

export function describeMetrics(kind: TargetKind): void {
  group(kind, 'metrics', (on) => {
    it(
      'count who is answered with 401, by the process that answers, and nobody who is known',
      on(async (target) => {
        const { port } = target;
        const first = await port.authenticationFailures();
        await port.version();
        const second = await port.authenticationFailures();
        expect(second).toMatchObject({ server: first.server, count: first.count });
        expect(second.uptimeMs).toBeGreaterThanOrEqual(first.uptimeMs);
        await kind.strangerAsks(target);
        const third = await port.authenticationFailures();
        expect(third).toMatchObject({ server: first.server, count: first.count + 1 });
      }),
    );
  });
}
