/**
 * Real Helm as a renderer: `helm template` on a chart's folder, values by standard input, so that
 * nothing is written. Refusals are answers here, not errors.
 */
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import { helmHome, run } from '../command.ts';

export interface RealChart {
  readonly version: string;
  readonly directory: string;
  /** Folder of the CRDs, by API version. */
  readonly crds: string;
}

export type Rendering =
  | {
      readonly ok: true;
      /** Documents by the template they come from, in the order of Helm. */
      readonly documents: readonly RenderedDocument[];
    }
  | { readonly ok: false; readonly message: string };

export interface RenderedDocument {
  /** `templates/cilium-configmap.yaml`. */
  readonly template: string;
  readonly text: string;
}

export type Values = Readonly<Record<string, unknown>>;

/** The minor every chart in question can be installed on. */
const KUBERNETES = '1.31.0';
const SLOTS = 2;

/** No settings of the machine's user: neither repositories nor plugins nor a cluster. */
const NO_HOME = {
  ...helmHome('/nonexistent'),
  KUBECONFIG: '/nonexistent/kubeconfig',
  // A rendering is over before collecting garbage pays: a fifth of its time.
  GOGC: 'off',
};

export class Helm {
  private readonly binary: string;
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  renderings = 0;

  constructor(binary: string) {
    this.binary = binary;
  }

  /** At most a few at a time. */
  async template(chart: RealChart, values: Values): Promise<Rendering> {
    if (this.running >= SLOTS) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
    this.renderings += 1;
    try {
      return await this.render(chart, values);
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }

  private async render(chart: RealChart, values: Values): Promise<Rendering> {
    const args = ['template', 'cilium', chart.directory, '--namespace', 'kube-system'];
    const { code, stdout, stderr } = await run(
      this.binary,
      [...args, '--kube-version', KUBERNETES, '--values', '-'],
      { input: JSON.stringify(values), env: NO_HOME },
    );
    if (code !== 0) return { ok: false, message: stderr.trim() };
    return { ok: true, documents: documentsOf(stdout) };
  }
}

function documentsOf(text: string): readonly RenderedDocument[] {
  return text
    .split(/^---$/m)
    .map((part) => {
      const template = /^# Source: cilium\/(\S+)/m.exec(part)?.[1] ?? '';
      return { template, text: part.trim() };
    })
    .filter(({ template }) => template !== '');
}

/** The objects of the documents that are wanted; parsing all of them takes longer than Helm. */
export function objectsOf(
  documents: readonly RenderedDocument[],
  wanted: (template: string) => boolean = () => true,
): readonly KubeObject[] {
  return documents
    .filter(({ template }) => wanted(template))
    .flatMap(({ text }) =>
      // Helm writes YAML 1.1, and what it prints are objects of the API or nothing.
      parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS() as KubeObject),
    )
    .filter((object) => object !== null && object !== undefined);
}

/** `cilium-config`; undefined where the chart rendered none. */
export function configOf(
  documents: readonly RenderedDocument[],
): Readonly<Record<string, string>> | undefined {
  const objects = objectsOf(
    documents,
    (template) => template === 'templates/cilium-configmap.yaml',
  );
  const config = objects.find(({ metadata }) => metadata.name === 'cilium-config');
  // A ConfigMap's data are texts.
  return (config as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data;
}
