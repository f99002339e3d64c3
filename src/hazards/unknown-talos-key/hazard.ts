/** FM-11, FM-35: a key that Talos does not know makes it refuse the whole patch. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { showPath } from '../../model/config-tree.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { knowsKind, unknownKeysOf } from '../../knowledge/talos-config/unknown-keys.ts';
import { finding, judgedInPart, MISSING } from '../finding.ts';
import { MISSING_TALOS_VERSION, talosVersions } from '../talos.ts';

export const hazard: Hazard = {
  id: 'unknown-talos-key',
  covers: ['FM-11', 'FM-35'],
  title: 'A key that Talos does not know',
  severity: 'critical',
  holdsFor: 'Talos 1.7 to 1.14',
  why: 'Talos decodes machine configs and patches strictly. One unknown key and talosctl refuses the patch before it reaches a node; nothing of it is applied, the right lines beside it included. What the patch was to cure goes on.',
  references: [
    'talos:pkg/machinery/config/configloader/internal/decoder/unknown_keys.go@v1.10.5',
    'talos:pkg/machinery/config/configloader/internal/decoder/decoder.go@v1.13.9',
    'talos:pkg/machinery/config/types/v1alpha1/v1alpha1_types.go@v1.13.9',
  ],
  foretell,
  signs: { occurrences: ['talos.config-rejected'] },
};

type Document = MachineConfigFacts['input']['documents'][number];

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return judgedInPart([], [MISSING.machineConfigs]);
  const { versions, known } = talosVersions(facts);
  const findings = facts.machineConfigs.flatMap(({ kind, input }) =>
    input.documents.flatMap((document) => judge(document, kind, versions, known)),
  );
  const undecided = !known && findings.some(({ certainty }) => certainty === 'possible');
  return judgedInPart(findings, undecided ? [MISSING_TALOS_VERSION] : []);
}

function judge(
  document: Document,
  form: 'config' | 'patch',
  versions: readonly string[],
  known: boolean,
): readonly Finding[] {
  const kinds = versions.filter((version) => knowsKind(document.kind, version));
  if (kinds.length === 0) return [unknownKind(document, form, known)];
  const counts = new Map<
    string,
    { path: readonly (string | number)[]; hint?: string; hits: number }
  >();
  for (const version of kinds) {
    for (const { path, suggestion } of unknownKeysOf(document.kind, document.tree.value, version)) {
      const key = showPath(path);
      const hits = (counts.get(key)?.hits ?? 0) + 1;
      const hint = suggestion ?? counts.get(key)?.hint;
      counts.set(key, { path, hits, ...(hint === undefined ? {} : { hint }) });
    }
  }
  return [...counts.values()].map(({ path, hint, hits }) => {
    const always = hits === kinds.length;
    const at = document.tree.keyOf(path) ?? document.tree.nearest(path);
    return finding(hazard, {
      severity: always ? 'critical' : 'medium',
      certainty: always ? 'proven' : 'possible',
      message: `${showPath(path)} is no key of ${named(document)} ${always ? versionText(versions, known) : 'in some versions of Talos'}. talosctl refuses the ${form} as a whole ("unknown keys found during decoding"), so none of it takes effect.${hint === undefined ? '' : ` The key belongs to ${hint}.`}`,
      evidence: [evidenceAt({ ...at, path: showPath(path) }, document.tree.at(path)?.value)],
      fix: {
        summary: hint === undefined ? 'Remove the key.' : `Write ${hint} instead.`,
        ...(hint === undefined ? {} : { patch: nested(hint, document.tree.at(path)?.value) }),
      },
    });
  });
}

function unknownKind(document: Document, form: 'config' | 'patch', known: boolean): Finding {
  return finding(hazard, {
    certainty: known ? 'proven' : 'likely',
    message: `Talos has no document of the kind ${document.kind} in the version in question and refuses the ${form} as a whole.`,
    evidence: [evidenceAt(document.tree.at('kind')?.source ?? document.tree.source, document.kind)],
    fix: { summary: 'Write the setting in the form this version has, or upgrade Talos first.' },
  });
}

function named({ kind }: Document): string {
  return kind === 'v1alpha1' ? 'the machine config' : kind;
}

function versionText(versions: readonly string[], known: boolean): string {
  return known ? `in Talos ${versions.join(', ')}` : 'in any Talos from 1.7 to 1.14';
}

/** The value under its right path, as YAML; documents get their head. */
function nested(path: string, value: unknown): string {
  const parts = path.split('.');
  const kind = /^[A-Z]/.test(parts[0] ?? '') ? parts.shift() : undefined;
  const lines = parts.map((part, depth) => {
    const last = depth === parts.length - 1;
    return `${'  '.repeat(depth)}${part}:${last ? ` ${JSON.stringify(value)}` : ''}\n`;
  });
  const head = kind === undefined ? '' : `apiVersion: v1alpha1\nkind: ${kind}\n`;
  return `${head}${lines.join('')}`;
}
