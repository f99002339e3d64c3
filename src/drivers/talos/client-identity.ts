/**
 * Who we are to Talos: the client certificate of the talosconfig. Its organisations are our roles. An
 * expired one is found before anybody is asked, since a server only says that it does not like it.
 */
import { X509Certificate } from 'node:crypto';
import { RegaugeError } from '../../base/errors.ts';
import type { TalosContext } from './talosconfig.ts';

export interface ClientIdentity {
  /** `os:admin`; as the certificate has them. */
  readonly roles: readonly string[];
}

/** `now`: milliseconds since 1970. */
export function readIdentity(context: TalosContext, now: number): ClientIdentity {
  const certificate = certificateOf(context);
  if (Date.parse(certificate.validTo) <= now) {
    throw new RegaugeError(
      'unauthenticated',
      `the client certificate of talosconfig context "${context.name}" expired on ${certificate.validTo}`,
      {
        hint: 'make a new one: talosctl config new with an older one that is valid, or talosctl gen config from the secrets',
      },
    );
  }
  const roles = certificate.subject
    .split('\n')
    .filter((part) => part.startsWith('O='))
    .map((part) => part.slice(2));
  return { roles };
}

function certificateOf(context: TalosContext): X509Certificate {
  try {
    return new X509Certificate(context.certificate);
  } catch (error) {
    throw new RegaugeError(
      'bad-input',
      `the client certificate of talosconfig context "${context.name}" cannot be read`,
      { cause: error },
    );
  }
}
