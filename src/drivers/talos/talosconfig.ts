/**
 * The user's talosconfig: where it is looked for, its contexts, and the identity in them. Keys stay in
 * the identity; no error message quotes more of the file than its names. Source:
 * talos:pkg/machinery/client/config/{config,path}.go@v1.13.9 (knowledge talos-and-cni-selection.md 4.12).
 */
import { isAbsolute, join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { RegaugeError } from '../../base/errors.ts';

export interface TalosconfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  /** Undefined when there is no such file. */
  readonly readFile: (path: string) => string | undefined;
}

export interface TalosconfigFile {
  readonly path: string;
  readonly text: string;
}

export interface TalosContext {
  readonly name: string;
  /** `10.0.0.1`, `cp.example:50000`, in the order of the file. */
  readonly endpoints: readonly string[];
  /** Of `--nodes`, else of the context; who is talked to when nothing else says so. */
  readonly nodes: readonly string[];
  readonly cluster: string | undefined;
  /** PEM. */
  readonly authority: string;
  /** PEM; the key relabelled for Node's TLS. */
  readonly certificate: string;
  readonly key: string;
}

export interface ContextChoice {
  readonly context?: string;
  readonly endpoints?: readonly string[];
  readonly nodes?: readonly string[];
}

const IN_CLUSTER = '/var/run/secrets/talos.dev/config';

const ContextSchema = z.looseObject({
  endpoints: z.array(z.string()).nullish(),
  nodes: z.array(z.string()).nullish(),
  target: z.string().nullish(),
  ca: z.string().nullish(),
  crt: z.string().nullish(),
  key: z.string().nullish(),
  cluster: z.string().nullish(),
  auth: z.looseObject({ siderov1: z.unknown().optional() }).nullish(),
  'proxy-url': z.string().nullish(),
});

const TalosconfigSchema = z.looseObject({
  context: z.string().nullish(),
  contexts: z.record(z.string(), ContextSchema.nullable()).nullish(),
});

type RawContext = z.infer<typeof ContextSchema>;

/** Where it may be, in the order in which the first that exists is taken. */
export function talosconfigPaths(sources: Omit<TalosconfigSources, 'readFile'>): readonly string[] {
  const { TALOSCONFIG, TALOS_HOME } = sources.env;
  // As talosctl: a TALOS_HOME that is not absolute does not count.
  const home =
    TALOS_HOME !== undefined && isAbsolute(TALOS_HOME)
      ? TALOS_HOME
      : join(sources.homeDirectory, '.talos');
  const first = TALOSCONFIG === undefined || TALOSCONFIG === '' ? [] : [TALOSCONFIG];
  return [...first, join(home, 'config'), IN_CLUSTER];
}

export function findTalosconfig(sources: TalosconfigSources, path?: string): TalosconfigFile {
  const paths = path === undefined ? talosconfigPaths(sources) : [path];
  for (const candidate of paths) {
    const text = sources.readFile(candidate);
    if (text !== undefined) return { path: candidate, text };
  }
  throw new RegaugeError('bad-input', `there is no talosconfig at ${paths.join(' or ')}`, {
    hint: 'give it with --talosconfig, or set TALOSCONFIG',
  });
}

export function readTalosContext(file: TalosconfigFile, choice: ContextChoice = {}): TalosContext {
  const config = parseTalosconfig(file);
  const contexts = new Map(Object.entries(config.contexts ?? {}));
  const name = choice.context ?? config.context ?? '';
  if (name === '') throw refuse(file, 'names no context', `choose one: ${list(contexts.keys())}`);
  const raw = contexts.get(name);
  if (raw === undefined || raw === null) {
    throw refuse(file, `has no context "${name}"`, `it has: ${list(contexts.keys())}`);
  }
  const endpoints = choice.endpoints ?? endpointsOf(raw, choice.nodes);
  if (endpoints.length === 0) {
    throw refuse(
      file,
      `has no endpoints in its context "${name}"`,
      'add one: talosctl config endpoint <address of a control plane>',
    );
  }
  return {
    name,
    endpoints,
    nodes: choice.nodes ?? raw.nodes ?? [],
    cluster: raw.cluster ?? undefined,
    ...identityOf(file, name, raw),
  };
}

function parseTalosconfig(file: TalosconfigFile): z.infer<typeof TalosconfigSchema> {
  let data: unknown;
  try {
    data = parse(file.text, { maxAliasCount: 0 });
  } catch (error) {
    const [at] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    // The parser's own message quotes the line, and the line may be the key.
    throw refuse(file, 'is no YAML', at === undefined ? undefined : `look at line ${at.line}`);
  }
  const result = TalosconfigSchema.safeParse(data ?? {});
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw refuse(
    file,
    `is no talosconfig: ${where === '' ? 'its content' : where} is of another form`,
  );
}

/** `target` is what `endpoints` was called; nodes stand in for endpoints as in talosctl. */
function endpointsOf(raw: RawContext, nodes: readonly string[] | undefined): readonly string[] {
  if (raw.endpoints !== undefined && raw.endpoints !== null && raw.endpoints.length > 0) {
    return raw.endpoints;
  }
  if (raw.target !== undefined && raw.target !== null && raw.target !== '') return [raw.target];
  return nodes ?? raw.nodes ?? [];
}

function identityOf(
  file: TalosconfigFile,
  name: string,
  raw: RawContext,
): Pick<TalosContext, 'authority' | 'certificate' | 'key'> {
  const context = `in its context "${name}"`;
  if (isSet(raw['proxy-url'])) {
    throw refuse(file, `has a proxy-url ${context}, and regauge goes through no proxy`);
  }
  if (!isSet(raw.crt) || !isSet(raw.key)) {
    const other = isSet(raw.auth?.siderov1)
      ? 'it signs in through Omni (siderov1), which regauge cannot; ask Omni for a talosconfig with a certificate: omnictl talosconfig --break-glass'
      : 'make one: talosctl config new';
    throw refuse(file, `has no client certificate ${context}`, other);
  }
  if (!isSet(raw.ca)) throw refuse(file, `has no ca ${context}`);
  return {
    authority: decode(file, `${context}: ca`, raw.ca, 'CERTIFICATE'),
    certificate: decode(file, `${context}: crt`, raw.crt, 'CERTIFICATE'),
    key: withUsualLabel(decode(file, `${context}: key`, raw.key, 'PRIVATE KEY')),
  };
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null && value !== '';
}

function decode(file: TalosconfigFile, what: string, base64: string, label: string): string {
  const pem = Buffer.from(base64, 'base64').toString('utf8');
  if (pem.includes('-----BEGIN ') && pem.includes(`${label}-----`)) return pem;
  throw refuse(file, `is broken ${what} is no base64 of a PEM ${label}`);
}

/**
 * Talos writes PKCS #8 under the label `ED25519 PRIVATE KEY`, which OpenSSL does not know
 * (crypto:x509/constants.go@4154a77).
 */
function withUsualLabel(pem: string): string {
  return pem.replaceAll('ED25519 PRIVATE KEY-----', 'PRIVATE KEY-----');
}

function refuse(file: TalosconfigFile, what: string, hint?: string): RegaugeError {
  return new RegaugeError('bad-input', `the talosconfig ${file.path} ${what}`, {
    source: { file: file.path },
    ...(hint === undefined ? {} : { hint }),
  });
}

function list(names: Iterable<string>): string {
  return [...names].toSorted().join(', ') || 'none';
}
