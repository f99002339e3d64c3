/**
 * What must not reach a file, a log or a page (design.md, rule 6), taken out of text and of objects.
 * Told by the names of keys and by the shapes of tokens; in doubt a value goes, and says that it did.
 */
export const REDACTED = '<redacted>';

/** A key that holds a secret whatever its value: `token`, `clientSecret`, `aescbcEncryptionSecret`. */
const SECRET_KEY =
  /(^|[._-])(key|token|secret|password|passwd|passphrase|credentials?|api-?key|private-?key|auth|dsn|connection-?string)$|(Token|Secret|Password|Passphrase|Credentials?|ApiKey|PrivateKey|AccessKey)$|^(identity|authorization)$/i;

/** Keys that end like a secret's and hold none. */
const NO_SECRET = /^(secretName|secretRef|keyRef|imagePullSecret|pullSecret|topologyKey)$/;

/**
 * Lists whose elements name a label or a taint with `key` (kubernetes:staging/src/k8s.io/api/core/v1/types.go:
 * NodeSelectorRequirement, TopologySelectorLabelRequirement, Toleration, Taint; meta/v1 LabelSelectorRequirement).
 */
const NAMED_BY_KEY = new Set([
  'matchExpressions',
  'matchFields',
  'matchLabelExpressions',
  'tolerations',
  'taints',
]);

const SHAPES: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
  // PEM in base64, as kubeconfigs and talosconfigs hold it.
  /LS0tLS1CRUdJTi[A-Za-z0-9+/=]{40,}/g,
  // gzip in base64, which may hold anything: Helm's releases in ConfigMaps hold rendered Secrets.
  /H4sI[A-Za-z0-9+/=]{200,}/g,
  // JSON Web Tokens: service account tokens, OpenID tokens.
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  // Bootstrap tokens of kubeadm, and join tokens of K3s and RKE2.
  /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g,
  /\bK10[0-9a-f]{32,}::[A-Za-z0-9:._-]+/g,
  // Cloud and forge tokens by their own marks.
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\b(?:gh[pousr]|glpat|xox[abprs])[_-][A-Za-z0-9_-]{16,}/g,
  // Credentials in a URL.
  /(?<=:\/\/)[^/\s:@]+:[^/\s@]+(?=@)/g,
  // `--token=…`, `password: …`, `PASSWORD=…` inside a text.
  /(?<=\b(?:--)?[A-Za-z0-9_.-]*(?:token|secret|password|passwd|passphrase|api-?key|private-?key)["']?\s*[:=]\s*["']?)[^\s"',;]{4,}/gi,
];

/** The text without what has the shape of a secret. */
export function redactText(text: string): string {
  return SHAPES.reduce((rest, shape) => rest.replace(shape, REDACTED), text);
}

export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) && !NO_SECRET.test(key);
}

/** Whether `key` in the elements of a list under that name is the name of a label or a taint. */
export function isListNamedByKey(list: string): boolean {
  return NAMED_BY_KEY.has(list);
}

/** Plain data without secrets, by key and by shape; the same value where there was nothing. */
export function redactData(value: unknown): unknown {
  return withoutSecrets(value, false);
}

/** `isElement`: of a list in which `key` is a name. */
function withoutSecrets(value: unknown, isElement: boolean): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return mapped(value, false);
  if (value === null || typeof value !== 'object') return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, old] of Object.entries(value)) {
    const isSecret = isSecretKey(key) && isText(old) && !(isElement && key === 'key');
    const kept = isSecret
      ? REDACTED
      : Array.isArray(old)
        ? mapped(old, isListNamedByKey(key))
        : redactData(old);
    if (kept === old) continue;
    copy ??= { ...value };
    copy[key] = kept;
  }
  return copy ?? value;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function mapped(values: readonly unknown[], areNamedByKey: boolean): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (const [index, old] of values.entries()) {
    const kept = withoutSecrets(old, areNamedByKey);
    if (kept === old) continue;
    copy ??= [...values];
    copy[index] = kept;
  }
  return copy ?? values;
}
