/** Where a served twin listens: loopback, unless somebody says aloud that others are meant. */
import { RegaugeError } from '../base/errors.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:0`, `[::1]:6443`, `:6443`; throws `usage`. */
export function addressToListenOn(text: string, othersMayReachIt: boolean): ListenAddress {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3] ?? Number.NaN);
  if (parts === null || port > 65_535) {
    throw new RegaugeError('usage', `--listen ${text} is no address and port`, {
      hint: 'Such as 127.0.0.1:6443; port 0 takes a free one.',
    });
  }
  const host = (parts[1] ?? parts[2] ?? '') || '127.0.0.1';
  if (isLoopback(host) || othersMayReachIt) return { host, port };
  throw new RegaugeError('usage', `others could reach the twin on ${host}`, {
    hint: 'It listens on loopback only, unless --i-know-others-can-reach-it is given as well.',
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
