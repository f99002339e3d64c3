/**
 * Who reads what is printed may stop (`| head`, a pager that is left): the rest is printed to nobody, and
 * the command comes to its end, a migration to a safe one. Node would end it in its middle.
 */
import type { EventEmitter } from 'node:events';

export function outliveReaders(...streams: readonly Pick<EventEmitter, 'on'>[]): void {
  for (const stream of streams)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
}
