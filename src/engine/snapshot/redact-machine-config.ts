/**
 * A Talos machine config as a snapshot keeps it: every document, without keys, tokens and certificates,
 * without the content of files and the values of environments, and without comments, since anything may
 * stand in those. What cannot be parsed is not kept.
 */
import {
  type Document,
  isCollection,
  isPair,
  isScalar,
  parseAllDocuments,
  type Scalar,
  visit,
} from 'yaml';
import { isListNamedByKey, isSecretKey, REDACTED, redactText } from '../../base/redaction.ts';

/** Undefined where it is no YAML. */
export function redactMachineConfig(text: string): string | undefined {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) {
    return undefined;
  }
  return documents.map(redacted).join('---\n');
}

/** Keys whose value is somebody's content: of files of the machine, of services of extensions. */
const CONTENT = new Set(['content']);
const MANIFESTS = new Set(['contents']);
const ENVIRONMENT = new Set(['env', 'environment']);
/** WireGuard's, which no general rule knows. */
const MORE_SECRETS = /^(presharedKey|psk|joinToken|siderolink)$/i;
/** Of the environment, what decides how images are pulled. */
const KEPT_VARIABLE = /_proxy$/i;

function redacted(document: Document): string {
  visit(document, {
    Node: (_, node) => {
      node.comment = null;
      node.commentBefore = null;
    },
    Scalar: (_, node, path) => {
      if (typeof node.value !== 'string' || node.value === '') return;
      // A key is a name, never a secret.
      const last = path.at(-1);
      if (isPair(last) && last.key === node) return;
      replace(node, redactedText(node.value, keysOf(path)));
    },
  });
  document.comment = null;
  document.commentBefore = null;
  document.directives = undefined;
  return document.toString({ lineWidth: 0, directives: false });
}

function replace(node: Scalar, text: string): void {
  if (text === node.value) return;
  node.value = text;
  // Its tag was of the value before.
  delete node.tag;
}

/** Keys from the root to the value. */
function keysOf(path: readonly unknown[]): readonly string[] {
  return path.flatMap((step) =>
    isPair(step) && isScalar(step.key) ? [String(step.key.value)] : isCollection(step) ? [] : [],
  );
}

function redactedText(value: string, keys: readonly string[]): string {
  const key = keys.at(-1) ?? '';
  if (key === 'key' && isListNamedByKey(keys.at(-2) ?? '')) return redactText(value);
  if (isSecretKey(key) || MORE_SECRETS.test(key)) return REDACTED;
  if (CONTENT.has(key)) return REDACTED;
  if (MANIFESTS.has(key)) return redactedManifests(value);
  if (ENVIRONMENT.has(key)) return redactedVariable(value);
  if (ENVIRONMENT.has(keys.at(-2) ?? '') && !KEPT_VARIABLE.test(key)) return REDACTED;
  return redactText(value);
}

/** `NAME=value` of a list. */
function redactedVariable(text: string): string {
  const [name = ''] = text.split('=', 1);
  return KEPT_VARIABLE.test(name) ? redactText(text) : `${name}=${REDACTED}`;
}

/** Kubernetes objects inside the config: their kinds and names stay, a Secret's data does not. */
function redactedManifests(text: string): string {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) {
    return REDACTED;
  }
  return documents
    .map((document) => {
      if (document.get('kind') === 'Secret') {
        document.delete('data');
        document.delete('stringData');
      }
      return redacted(document);
    })
    .join('---\n');
}
