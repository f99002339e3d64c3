/**
 * What real Helm says of values beside what the chart's model says: accepted or refused, in which
 * words, and with which objects. The model may leave out; what it says must be so.
 */
import { renderCiliumChart } from '../../../src/knowledge/cilium-chart/render.ts';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import { configOf, objectsOf, type RealChart, type Rendering, type Values } from './helm.ts';
import { saidBy } from './refusal-text.ts';
import { lacking } from './subset.ts';

export interface Agreement {
  readonly refused: boolean;
  /** One line each; none is agreement. */
  readonly differences: readonly string[];
  /** Keys of `cilium-config` that the model leaves out. */
  readonly notModelled: readonly string[];
}

/** Templates whose objects the model renders too. */
const MODELLED =
  /cilium-configmap|cilium-agent\/(daemonset|serviceaccount|clusterrole)|cilium-operator\/(deployment|serviceaccount|clusterrole)|cilium-envoy\/(daemonset|serviceaccount)/;

export function agreement(chart: RealChart, values: Values, real: Rendering): Agreement {
  const model = renderCiliumChart({
    version: chart.version,
    values,
    namespace: 'kube-system',
    release: 'cilium',
  });
  if (model.ok && real.ok) {
    return {
      refused: false,
      differences: objectDifferences(model.objects, real),
      notModelled: keysLeftOut(model.objects, real),
    };
  }
  if (!model.ok && !real.ok) {
    return { refused: true, differences: saidBy(model.problems, real.message), notModelled: [] };
  }
  return {
    refused: !real.ok,
    differences: [`Helm ${answerOf(real)}; the model ${answerOf(model)}`],
    notModelled: [],
  };
}

function answerOf(answer: { readonly ok: true } | { readonly ok: false; message: string }): string {
  return answer.ok ? 'renders' : `refuses: ${answer.message}`;
}

function objectDifferences(
  model: readonly KubeObject[],
  real: Extract<Rendering, { ok: true }>,
): readonly string[] {
  const objects = objectsOf(real.documents, (template) => MODELLED.test(template));
  const byName = new Map(objects.map((object) => [nameOf(object), object]));
  return model.flatMap((object) => {
    const name = nameOf(object);
    const counterpart = byName.get(name);
    if (counterpart === undefined) return [`${name}: Helm renders no such object`];
    return lacking(comparable(withoutOwner(object)), withPortNumbers(counterpart), name).filter(
      (line) => !RELEASE_ITSELF.test(line),
    );
  });
}

/**
 * What only the release itself knows: Envoy's own version, and a checksum over a ConfigMap of which
 * the model has a part.
 */
const RELEASE_ITSELF = /containers\[cilium-envoy\]\.image:|cilium-configmap-checksum:/;

/** An empty text in a ConfigMap is what Helm leaves without a value. */
function comparable(object: KubeObject): KubeObject {
  if (object.kind !== 'ConfigMap') return object;
  const { data } = object as KubeObject & { readonly data?: Readonly<Record<string, string>> };
  const filled = Object.entries(data ?? {}).filter(([, value]) => value !== '');
  return { ...object, data: Object.fromEntries(filled) } as KubeObject; // the same shape
}

/** Probes name their port from 1.19 on; the model has its number. */
function withPortNumbers(object: KubeObject): unknown {
  const numbers = new Map<string, number>();
  JSON.stringify(object, (_, value: unknown) => {
    if (isNamedPort(value)) numbers.set(value.name, value.containerPort);
    return value;
  });
  const text = JSON.stringify(object, (key, value: unknown) =>
    key === 'port' && typeof value === 'string' ? (numbers.get(value) ?? value) : value,
  );
  return JSON.parse(text) as unknown;
}

function isNamedPort(value: unknown): value is { name: string; containerPort: number } {
  return value !== null && typeof value === 'object' && 'name' in value && 'containerPort' in value;
}

/** The marks that Helm sets when it installs, and not when it renders. */
function withoutOwner(object: KubeObject): KubeObject {
  const { labels, annotations, ...rest } = object.metadata;
  return {
    ...object,
    metadata: { ...rest, labels: withoutMarks(labels), annotations: withoutMarks(annotations) },
  };
}

function withoutMarks(
  entries: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(entries ?? {}).filter(
      ([key]) => !key.startsWith('meta.helm.sh/') && key !== 'app.kubernetes.io/managed-by',
    ),
  );
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

function keysLeftOut(
  model: readonly KubeObject[],
  real: Extract<Rendering, { ok: true }>,
): readonly string[] {
  const config = model.find(({ metadata }) => metadata.name === 'cilium-config');
  // The model's ConfigMap has data.
  const said = (config as { readonly data?: object } | undefined)?.data ?? {};
  return Object.keys(configOf(real.documents) ?? {}).filter((key) => !Object.hasOwn(said, key));
}
