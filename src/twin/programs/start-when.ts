/** How most programs begin: after their start-up, and then not before what they need answers. */
import type { ProcessHost } from '../world.ts';
import type { Life } from './life.ts';

/** One that ran before the twin began serves at once, whatever it reaches now. */
export function startWhen(
  host: ProcessHost,
  life: Life,
  reaches: () => boolean,
  serve: () => void,
): void {
  if (host.adopted === true) {
    serve();
    return;
  }
  const attempt = (): void => {
    if (reaches()) serve();
    else life.after(host.world.constants.clientRetryMs, attempt);
  };
  life.after(host.world.constants.appReadyMs, attempt);
}
