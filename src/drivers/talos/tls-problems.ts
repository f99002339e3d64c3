/**
 * TLS refusals by Node's error code. A server that dislikes our certificate says so with an alert after
 * the handshake, which reaches a caller as OpenSSL's text; each gets words of its own here.
 */
import type { ErrorCode } from '../../base/errors.ts';

export interface TlsProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

const OTHER_CLUSTER =
  'is this the talosconfig of this cluster? A cluster that was made anew has another authority';
const NEW_TALOSCONFIG = 'get a new talosconfig of this cluster: talosctl config new';

const SERVER: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an authority that is not the talosconfig’s',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by an authority that is not the talosconfig’s',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by an authority that is not the talosconfig’s',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an authority that is not the talosconfig’s',
  CERT_SIGNATURE_FAILURE: 'is not signed by the talosconfig’s authority',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet: a clock is wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is not for this address',
};

const CLIENT: readonly (readonly [RegExp, string])[] = [
  [/unknown ca/i, 'is of an authority it does not know'],
  [/certificate required|handshake failure|peer did not return/i, 'is missing'],
  [/certificate expired/i, 'has expired by its clock'],
  [/certificate revoked/i, 'was revoked'],
  [/bad certificate|decrypt error|certificate unknown|unsupported certificate/i, 'is not accepted'],
];

export function tlsProblem(code: string, text: string, context: string): TlsProblem | undefined {
  const server = SERVER[code];
  if (server !== undefined) {
    return {
      code: 'unreachable',
      message: `the certificate of what answers there ${server} (${code})`,
      hint: code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? ALTERNATIVE_NAME : OTHER_CLUSTER,
    };
  }
  if (!code.startsWith('ERR_SSL_') && code !== 'EPROTO') return undefined;
  const words = `${code.replaceAll('_', ' ')} ${text}`;
  const found = CLIENT.find(([pattern]) => pattern.test(words));
  if (found === undefined) return undefined;
  return {
    code: 'unauthenticated',
    message: `Talos refuses our client certificate of context "${context}": it ${found[1]}`,
    hint: NEW_TALOSCONFIG,
  };
}

const ALTERNATIVE_NAME =
  'use an endpoint that the certificate names, or add it to machine.certSANs of the nodes';
