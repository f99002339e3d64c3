/** One kind of a cluster into files of typed lists, a page at a time. */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { NotRead, SnapshotFile } from '../../model/snapshot.ts';
import type { ListPage } from '../../ports/index.ts';
import type { SnapshotKind } from './kinds.ts';
import { redactObject } from './redact-object.ts';
import type { SnapshotPart, SnapshotRequest } from './take-snapshot.ts';

/** Objects per file: the text must fit into a string of the runtime that reads it. */
const OBJECTS_MAX = 10_000;

export type KindRead =
  | { readonly files: readonly SnapshotFile[] }
  | { readonly notRead: NotRead }
  /** An optional kind that the cluster does not serve. */
  | 'absent';

/** What ends the whole snapshot, and not one kind of it. */
const FATAL = new Set(['interrupted', 'unauthenticated', 'unreachable', 'untrusted']);

export async function readKind(request: SnapshotRequest, kind: SnapshotKind): Promise<KindRead> {
  const { kubernetes, signal, onProgress } = request;
  const writer = new KindWriter(request, kind);
  try {
    const options = signal === undefined ? {} : { signal };
    for await (const page of kubernetes.pages(kind.apiVersion, kind.kind, options)) {
      await writer.take(page);
      onProgress?.({ kind: kind.kind, objects: writer.objects, state: 'reading' });
    }
    const files = await writer.finish();
    onProgress?.({ kind: kind.kind, objects: writer.objects, state: 'done' });
    return { files };
  } catch (error) {
    await writer.abandon();
    if (!(error instanceof RegaugeError) || FATAL.has(error.code)) throw error;
    if (error.code === 'not-found' && kind.optional === true) return 'absent';
    onProgress?.({ kind: kind.kind, objects: writer.objects, state: 'failed' });
    const command = `kubectl get ${kind.resource} -A -o json`;
    return { notRead: { what: kind.resource, why: error.message, command } };
  }
}

class KindWriter {
  objects = 0;
  private readonly request: SnapshotRequest;
  private readonly kind: SnapshotKind;
  private readonly files: SnapshotFile[] = [];
  private part: SnapshotPart | undefined;
  private inPart = 0;

  constructor(request: SnapshotRequest, kind: SnapshotKind) {
    this.request = request;
    this.kind = kind;
  }

  async take({ items, restarted }: ListPage<KubeObject>): Promise<void> {
    // The list began again: what was written of it is of an older state.
    if (restarted === true) await this.forget();
    for (const item of items) {
      if (this.inPart >= OBJECTS_MAX) await this.closePart();
      this.part ??= await this.openPart();
      const text = JSON.stringify(redactObject(item));
      await this.part.write(`${this.inPart === 0 ? '' : ',\n'}${text}`);
      this.inPart += 1;
      this.objects += 1;
    }
  }

  /** An empty list is a file too: that there are none is a fact. */
  async finish(): Promise<readonly SnapshotFile[]> {
    if (this.files.length === 0) this.part ??= await this.openPart();
    await this.closePart();
    return this.files;
  }

  async abandon(): Promise<void> {
    await this.part?.abandon();
    this.part = undefined;
  }

  private async forget(): Promise<void> {
    await this.abandon();
    for (const { name } of this.files) await this.request.sink.discard(name);
    this.files.length = 0;
    this.inPart = 0;
    this.objects = 0;
  }

  private async openPart(): Promise<SnapshotPart> {
    const part = await this.request.sink.begin(this.nameOfPart());
    const { apiVersion, kind } = this.kind;
    const head = { apiVersion, kind: `${kind}List`, metadata: {} };
    await part.write(`${JSON.stringify(head).slice(0, -1)},"items":[\n`);
    return part;
  }

  private async closePart(): Promise<void> {
    if (this.part === undefined) return;
    await this.part.write('\n]}\n');
    await this.part.finish();
    const { apiVersion, kind } = this.kind;
    this.files.push({ name: this.nameOfPart(), apiVersion, kind, objects: this.inPart });
    this.part = undefined;
    this.inPart = 0;
  }

  private nameOfPart(): string {
    const number = this.files.length === 0 ? '' : `-${this.files.length + 1}`;
    return `${this.kind.resource}${number}.json`;
  }
}
