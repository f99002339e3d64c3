/**
 * What the API server says when it does not do as asked: its Status object, told as an error of
 * ours. 401 and 403 are never the same, and an answer that is no Status did not come from an API
 * server (KK apimachinery/pkg/apis/meta/v1 StatusReason*).
 */
import { type ErrorCode, RegaugeError } from '../../base/errors.ts';

export interface Status {
  readonly isSuccess: boolean;
  readonly message: string;
  readonly reason: string;
  readonly code: number;
  readonly causes: readonly { readonly reason: string; readonly message: string }[];
  readonly retryAfterSeconds: number | undefined;
  /** Of an expired list: from where it may go on, at a newer state. */
  readonly continueToken: string | undefined;
}

export interface Refusal {
  readonly httpStatus: number;
  readonly contentType: string;
  readonly text: string;
  /** `GET /api/v1/nodes`. */
  readonly request: string;
  /** Who asked, for 401 and 403. */
  readonly user: string;
  readonly server: string;
}

/** Characters of a foreign answer that are shown. */
const SHOWN_MAX = 200;

function parseStatus(text: string): Status | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return statusOf(value);
}

function statusOf(value: unknown): Status | undefined {
  const status = mapOf(value);
  return status['kind'] === 'Status' ? readStatus(status) : undefined;
}

/**
 * How a command ended. A kubelet marshals its Status without a kind: `{"metadata":{},"status":"Success"}`
 * (KK staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand).
 */
export function endOf(value: unknown): Status | undefined {
  const status = mapOf(value);
  return /^(Success|Failure)$/.test(textOf(status['status'])) ? readStatus(status) : undefined;
}

function readStatus(status: Readonly<Record<string, unknown>>): Status {
  const details = mapOf(status['details']);
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  const retryAfter = details['retryAfterSeconds'];
  const token = mapOf(status['metadata'])['continue'];
  return {
    isSuccess: status['status'] === 'Success',
    message: textOf(status['message']),
    reason: textOf(status['reason']),
    code: typeof status['code'] === 'number' ? status['code'] : 0,
    causes: causes.map((cause) => {
      const { reason, message } = mapOf(cause);
      return { reason: textOf(reason), message: textOf(message) };
    }),
    retryAfterSeconds: typeof retryAfter === 'number' && retryAfter > 0 ? retryAfter : undefined,
    continueToken: typeof token === 'string' && token !== '' ? token : undefined,
  };
}

/** An answer of the API server that is not what was asked for. */
export class StatusError extends RegaugeError {
  readonly httpStatus: number;
  readonly status: Status | undefined;

  constructor(told: RegaugeError, httpStatus: number, status: Status | undefined) {
    super(told.code, told.message, told.hint === undefined ? {} : { hint: told.hint });
    this.httpStatus = httpStatus;
    this.status = status;
  }
}

export function refusalError(refusal: Refusal): StatusError {
  const status = parseStatus(refusal.text);
  return new StatusError(toldOf(refusal, status), refusal.httpStatus, status);
}

function toldOf(refusal: Refusal, status: Status | undefined): RegaugeError {
  const { httpStatus, request, user, server } = refusal;
  if (httpStatus === 401) return unauthenticated(user, server);
  if (status === undefined && isForeign(refusal)) return foreignAnswer(refusal);
  const said = status?.message ?? shown(refusal.text);
  if (httpStatus === 403) {
    return new RegaugeError('forbidden', said === '' ? `${request} is forbidden` : said, {
      hint: `${user} is known to the cluster but may not do this: ask for the role, or try another --context or --as. \`kubectl auth can-i --list\` shows what is allowed.`,
    });
  }
  const code = codeOf(httpStatus, status?.reason);
  const message = said === '' ? `${request} was answered with ${httpStatus}` : said;
  const hint = HINTS[code];
  return new RegaugeError(code, message, hint === undefined ? {} : { hint });
}

/** Something between us and the cluster answered in its place. */
export function foreignAnswer({
  httpStatus,
  contentType,
  request,
  server,
  text,
}: Pick<Refusal, 'httpStatus' | 'contentType' | 'request' | 'server' | 'text'>): RegaugeError {
  const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1]?.trim();
  const said = title === undefined || title === '' ? '' : `, titled "${shown(title)}"`;
  const what = contentType === '' ? 'something that is no Kubernetes object' : contentType;
  return new RegaugeError(
    'unreachable',
    `${server} answered ${request} with status ${httpStatus} and ${what}${said}: that was not a Kubernetes API server`,
    {
      hint: 'A proxy, a gateway or a login page is in between. Look at the server address of the context, at proxy-url, and at HTTPS_PROXY and NO_PROXY.',
    },
  );
}

function unauthenticated(user: string, server: string): RegaugeError {
  return new RegaugeError(
    'unauthenticated',
    `${server} does not know ${user}: 401 Unauthorized (a certificate or token that has expired, was withdrawn, or belongs to another cluster)`,
    {
      hint: 'Log in again, or renew the kubeconfig; `kubectl auth whoami` with the same context must work. This is no matter of roles.',
    },
  );
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  throttled:
    'The API server is overloaded or limits this user. Wait until it is calm, or lower the rate of requests.',
  unreachable: 'The API server answers, but cannot serve: look at it and at etcd.',
};

function codeOf(httpStatus: number, reason: string | undefined): ErrorCode {
  switch (httpStatus) {
    case 404:
      return 'not-found';
    case 409:
      return 'conflict';
    case 410:
      return 'expired';
    case 429:
      return 'throttled';
    case 500:
      // Admission that cannot be asked, and the like, are the server's judgement of this request.
      return reason === 'Timeout' || reason === 'ServerTimeout' ? 'unreachable' : 'refused';
    case 502:
    case 503:
    case 504:
      return 'unreachable';
    default:
      return 'refused';
  }
}

/** A gateway's own page, or plain text that no API server writes. */
function isForeign({ contentType, text, httpStatus }: Refusal): boolean {
  if (/html/i.test(contentType) || /^\s*<(!doctype|html)/i.test(text)) return true;
  // API servers write plain text for 404 and 429 and for much else; redirects they never send.
  return httpStatus >= 300 && httpStatus < 400;
}

function shown(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? (value as Readonly<Record<string, unknown>>) : {}; // as was just asked
}
