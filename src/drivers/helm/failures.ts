/**
 * What Helm complains of, as errors with codes. Helm has one exit code and no codes in its texts, so
 * the texts are what there is (`helm:pkg/action`, `helm:pkg/kube`, `client-go`); what is not known is
 * `refused`, in Helm's own words.
 */
import { type ErrorCode, RegaugeError } from '../../base/errors.ts';
import { isSecretKey, REDACTED, redactText } from '../../base/redaction.ts';
import { isTable } from './output.ts';

interface Telling {
  readonly matches: RegExp;
  readonly code: ErrorCode;
  readonly hint?: string;
}

const TO_THE_CHART =
  'The chart is asked for where --chart says. Without a way there, name a folder or an archive on this machine with --chart.';

/** In this order: the first that matches says what it is. */
const TELLINGS: readonly Telling[] = [
  {
    // The chart's own words may hold any of the words below.
    matches:
      /^execution error at|^template: |^parse error at|values don't meet the specifications|exists and cannot be imported/,
    code: 'refused',
    hint: 'The release and the cluster are as they were.',
  },
  {
    matches: /another operation .* is in progress/,
    code: 'conflict',
    hint: 'helm history says which. When nobody runs it any more: helm rollback to the last deployed revision.',
  },
  {
    matches:
      /cluster unreachable: (context "[^"]*" does not exist|invalid configuration|stat |error loading config|unable to read)/,
    code: 'bad-input',
    hint: 'Look at --kubeconfig, --context and KUBECONFIG.',
  },
  {
    matches:
      /chart ".*" (version ".*" )?not found|no chart version found|: 404 Not Found|manifest unknown/,
    code: 'not-found',
    hint: TO_THE_CHART,
  },
  {
    matches:
      /is not a valid chart repository|failed to (download|fetch|do request|perform|resolve|authorize)|unable to locate any tags/,
    code: 'unreachable',
    hint: TO_THE_CHART,
  },
  {
    matches:
      /path ".*" not found|repo \S+ not found|Chart\.yaml file is missing|improper constraint|does not appear to be a gzipped archive/,
    code: 'bad-input',
    hint: TO_THE_CHART,
  },
  {
    matches: /x509:|tls: |certificate (signed by|has expired|is valid for)/,
    code: 'untrusted',
    hint: 'The certificate authority in the kubeconfig is not that of the server, or somebody stands between.',
  },
  {
    matches:
      /Unauthorized|asked for the client to provide credentials|getting credentials|token has expired/,
    code: 'unauthenticated',
    hint: 'kubectl auth whoami shows whether the credentials of this context are taken.',
  },
  {
    matches: /forbidden: User |cannot (get|list|watch|create|update|patch|delete) resource/,
    code: 'forbidden',
    hint: 'Helm keeps releases in Secrets of the namespace: it must read and write them, and all that the chart holds.',
  },
  {
    matches: /release: not found|Release not loaded|has no \d+ version|has no deployed releases/,
    code: 'not-found',
  },
  {
    matches:
      /timed out waiting|context deadline exceeded|Client\.Timeout|etcdserver: request timed out|net\/http: TLS handshake timeout/,
    code: 'timeout',
  },
  {
    matches: /the object has been modified|Apply failed with \d+ conflict|already exists/,
    code: 'conflict',
  },
  {
    matches:
      /cluster unreachable|connection refused|no such host|no route to host|i\/o timeout|connection reset|dial tcp|: EOF$|server is currently unable to handle/,
    code: 'unreachable',
  },
];

/** What Helm said at its end, without warnings, and without what the values hold as secrets. */
export function failureOf(stderr: string, what: string, secrets: readonly string[]): RegaugeError {
  const message = complaintIn(stderr, secrets);
  if (message === '') return new RegaugeError('refused', `helm ${what} failed and did not say why`);
  const telling = TELLINGS.find(({ matches }) => matches.test(message));
  return new RegaugeError(
    telling?.code ?? 'refused',
    message,
    telling?.hint === undefined ? {} : { hint: telling.hint },
  );
}

function complaintIn(stderr: string, secrets: readonly string[]): string {
  const from = stderr.search(/^Error: (?![\s\S]*^Error: )/m);
  const said = from < 0 ? withoutWarnings(stderr) : stderr.slice(from);
  const bare = said.replace(/^Error: /, '').replace(/^(UPGRADE|INSTALLATION) FAILED: /, '');
  const told = ADVICE.reduce((rest, advice) => rest.replace(advice, ''), bare);
  return redactText(withoutTexts(told.trim(), secrets));
}

/** What Helm and client-go add for those who type: flags we do not use, a page to read. */
const ADVICE = [
  /\n+Use --debug flag to render out invalid YAML/,
  /\n+It looks like you are[\s\S]*/,
];

/** klog lines, `WARNING:`, and Helm 4's `level=WARN`. */
function withoutWarnings(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^([IWE]\d{4} |WARNING: |level=(WARN|INFO|DEBUG))/.test(line))
    .join('\n');
}

function withoutTexts(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}

/** Shorter ones would take half of a message with them. */
const SECRET_LENGTH_MIN = 4;

/** Texts in values under keys of secrets, longest first. */
export function secretsIn(values: unknown): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown, isSecret: boolean): void => {
    if (typeof value === 'string' && isSecret && value.length >= SECRET_LENGTH_MIN)
      found.add(value);
    else if (Array.isArray(value)) for (const each of value) visit(each, isSecret);
    else if (isTable(value))
      for (const [key, each] of Object.entries(value)) visit(each, isSecret || isSecretKey(key));
  };
  visit(values, false);
  return [...found].toSorted((left, right) => right.length - left.length);
}
