/** What keeps a chart from rendering somebody's values, as occurrences: one per kind of value. */
import { CHART_VALUES } from '../../../knowledge/cilium-chart/chart-values.ts';
import type { OccurrenceId } from '../../../model/occurrence.ts';
import type { OccurrenceKind } from '../../../model/occurrence-kind.ts';
import type { Kernel } from '../../kernel/kernel.ts';

export interface ValueRefusal {
  /** Dotted path of the value. */
  readonly path: string;
  readonly message: string;
}

export function tellRefusals(
  kernel: Kernel,
  problems: readonly ValueRefusal[],
): readonly OccurrenceId[] {
  return problems.map(({ path, message }) =>
    kernel.because(kernel.causes, () =>
      kernel.occur(kindOf(path), { message: `${path}: ${message.trim()}` }),
    ),
  );
}

const CAPABILITIES = 'securityContext.capabilities.';

function kindOf(path: string): OccurrenceKind {
  if (path === 'kubeProxyReplacement') return 'helm.replacement-value-refused';
  if (path.startsWith(CAPABILITIES)) return 'helm.capabilities-refused';
  return CHART_VALUES.some((value) => value.path === path)
    ? 'helm.removed-value-refused'
    : 'helm.value-refused';
}
