/**
 * Why there was no answer, told apart: the name, the port, the route, the certificate, the time.
 * What can pass by waiting is `unreachable`; a certificate that does not fit is `untrusted`.
 */
import { RegaugeError } from '../../base/errors.ts';

/** What failed, as retrying needs to know it. */
export interface ConnectionFailure {
  readonly error: RegaugeError;
  /** The server cannot have seen the request: it may be sent again, whatever it asks. */
  readonly wasSent: boolean;
  /** It may be otherwise in a moment. */
  readonly isPassing: boolean;
}

export interface Target {
  /** `https://host:port`, without credentials. */
  readonly server: string;
  readonly host: string;
}

const TLS_TIME =
  'Look at the clocks of both machines, and at the certificate: `openssl s_client -connect`. Kubernetes renews it with the control plane (kubeadm: `kubeadm certs renew`).';
const TLS_AUTHORITY =
  'The context’s certificate-authority is not the one that signed the server’s certificate: the kubeconfig is of another cluster or is outdated, or somebody is in between. Do not switch the check off.';
const CLIENT_CERTIFICATE =
  'The server refused the client certificate of the context, or wants one: renew the kubeconfig.';

export function connectionFailure(
  error: unknown,
  target: Target,
  sent: boolean,
): ConnectionFailure {
  const { code, message } = describe(error);
  const told = tell(code, message, target);
  const details = told.hint === undefined ? { cause: error } : { cause: error, hint: told.hint };
  return {
    error: new RegaugeError(told.code, told.what, details),
    wasSent: sent && !told.beforeSending,
    isPassing: told.isPassing,
  };
}

interface Told {
  readonly code: 'unreachable' | 'untrusted' | 'unauthenticated';
  readonly what: string;
  readonly hint?: string;
  readonly beforeSending: boolean;
  readonly isPassing: boolean;
}

function tell(code: string, message: string, target: Target): Told {
  return (
    nameFailure(code, target) ??
    certificateFailure(code, message, target) ??
    routeFailure(code, message, target) ?? {
      code: 'unreachable',
      what: `the connection to ${target.server} failed: ${message}`,
      beforeSending: false,
      isPassing: true,
    }
  );
}

function nameFailure(code: string, { host, server }: Target): Told | undefined {
  if (code === 'ENOTFOUND') {
    return {
      code: 'unreachable',
      what: `no address is known for the name ${host} (DNS), so that ${server} cannot be reached`,
      hint: 'Look for a mistake in the server address of the context, at the DNS of this machine, and whether a VPN is needed.',
      beforeSending: true,
      isPassing: false,
    };
  }
  if (code !== 'EAI_AGAIN') return undefined;
  return {
    code: 'unreachable',
    what: `DNS did not answer for the name ${host}, so that ${server} cannot be reached`,
    hint: 'The DNS server of this machine does not answer: look at its network first.',
    beforeSending: true,
    isPassing: true,
  };
}

function certificateFailure(code: string, message: string, target: Target): Told | undefined {
  const { server, host } = target;
  if (code === 'CERT_HAS_EXPIRED')
    return untrusted(`the certificate of ${server} has expired`, TLS_TIME);
  if (code === 'CERT_NOT_YET_VALID')
    return untrusted(`the certificate of ${server} is not valid yet`, TLS_TIME);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = /altnames: (.*)$/.exec(message)?.[1] ?? 'other names';
    return untrusted(
      `the certificate of ${server} is not for ${host}: it names ${names}`,
      'Use one of these names in the server address of the context, or tls-server-name; or add the name to the API server’s certificate.',
    );
  }
  if (AUTHORITY.has(code))
    return untrusted(
      `the certificate of ${server} was signed by an authority that the context does not know (${code})`,
      TLS_AUTHORITY,
    );
  if (/ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA)|ALERT_NO_CERT|SSLV3_ALERT_/.test(code)) {
    return {
      ...untrusted(`${server} refused the client certificate (${code})`, CLIENT_CERTIFICATE),
      code: 'unauthenticated',
    };
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || /wrong version number/.test(message)) {
    return untrusted(
      `${server} does not speak TLS: something else listens there`,
      'Look at the port of the server address; a plain HTTP port needs http:// (loopback only).',
    );
  }
  if (!/^ERR_(SSL|TLS|OSSL)|^CERT_|_CERT|^EPROTO$/.test(code)) return undefined;
  return untrusted(`no secure connection to ${server}: ${firstLine(message)}`, TLS_AUTHORITY);
}

const AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);

function routeFailure(code: string, message: string, { server }: Target): Told | undefined {
  if (code === 'ECONNREFUSED') {
    return {
      code: 'unreachable',
      what: `nothing listens at ${server}: connection refused`,
      hint: 'The API server is down, or the port of the context’s server address is wrong.',
      beforeSending: true,
      isPassing: true,
    };
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || /socket hang up|aborted/.test(message)) {
    return {
      code: 'unreachable',
      what: `${server} broke the connection off before it had answered: connection reset`,
      hint: 'A load balancer without a living API server behind it does this; so does a firewall.',
      beforeSending: false,
      isPassing: true,
    };
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return {
      code: 'unreachable',
      what: `there is no route to ${server}`,
      hint: 'Look at the network of this machine, and whether a VPN is needed.',
      beforeSending: true,
      isPassing: true,
    };
  }
  if (code === 'ETIMEDOUT') {
    return {
      code: 'unreachable',
      what: `${server} did not answer in time: connection timed out`,
      hint: 'A firewall drops the packets, or the machine is down.',
      beforeSending: true,
      isPassing: true,
    };
  }
  const proxied = /^Bad response: (\d+)/.exec(message)?.[1];
  if (proxied === undefined) return undefined;
  return {
    code: 'unreachable',
    what: `the proxy would not connect to ${server}: it answered ${proxied}`,
    hint: 'Look at proxy-url of the context, or at HTTPS_PROXY and NO_PROXY, and at the credentials for the proxy.',
    beforeSending: true,
    isPassing: false,
  };
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  const inner = error instanceof AggregateError ? error.errors.find(hasCode) : undefined;
  const coded = inner ?? error;
  const code = hasCode(coded) ? coded.code : '';
  return { code, message: error.message === '' ? code : error.message };
}

function hasCode(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 200) ?? '';
}

function untrusted(what: string, hint: string): Told {
  return { code: 'untrusted', what, hint, beforeSending: true, isPassing: false };
}
