/** One kind of a cluster into files of typed lists, a page at a time. */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { NotRead, SnapshotFile } from '../../model/snapshot.ts';
import type { ListPage, PageOptions, RawListPage } from '../../ports/index.ts';
import { KeyReader } from './key-meanings.ts';
import type { SnapshotKind } from './kinds.ts';
import { ObjectRedactor } from './redact-objects.ts';
import type { SnapshotPart, SnapshotRequest } from './request.ts';
import { TextBuffer } from './text-buffer.ts';

/** Objects per file: whoever reads it holds its text, and what it makes of it, at the same time. */
const OBJECTS_MAX = 2_000;
/** Bytes that are written at once. */
const WRITE_BYTES = 1024 * 1024;
const BETWEEN = Buffer.from(',\n');

export type KindRead =
  | { readonly files: readonly SnapshotFile[] }
  | { readonly notRead: NotRead }
  /** An optional kind that the cluster does not serve. */
  | 'absent';

/** What ends the whole snapshot, and not one kind of it. */
const FATAL = new Set(['interrupted', 'unauthenticated', 'unreachable', 'untrusted']);

export async function readKind(request: SnapshotRequest, kind: SnapshotKind): Promise<KindRead> {
  const { signal, onProgress } = request;
  const writer = new KindWriter(request, kind);
  try {
    const options = signal === undefined ? {} : { signal };
    for await (const page of rawPages(request, kind, options)) {
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

function rawPages(
  { kubernetes }: SnapshotRequest,
  { apiVersion, kind }: SnapshotKind,
  options: PageOptions,
): AsyncIterable<RawListPage> {
  return (
    kubernetes.rawPages?.(apiVersion, kind, options) ??
    written(kubernetes.pages(apiVersion, kind, options))
  );
}

/** For a port that has objects and no text of them. */
async function* written(pages: AsyncIterable<ListPage<KubeObject>>): AsyncGenerator<RawListPage> {
  for await (const { items, ...page } of pages)
    yield { ...page, items: Buffer.from(JSON.stringify(items).slice(1, -1)) };
}

class KindWriter {
  objects = 0;
  private readonly request: SnapshotRequest;
  private readonly kind: SnapshotKind;
  private readonly files: SnapshotFile[] = [];
  private readonly text = new TextBuffer();
  private readonly keys = new KeyReader();
  private part: SnapshotPart | undefined;
  private inPart = 0;

  constructor(request: SnapshotRequest, kind: SnapshotKind) {
    this.request = request;
    this.kind = kind;
  }

  async take({ items, restarted }: RawListPage): Promise<void> {
    // The list began again: what was written of it is of an older state.
    if (restarted === true) await this.forget();
    const bytes = Buffer.from(items.buffer, items.byteOffset, items.byteLength);
    const redactor = new ObjectRedactor(this.kind, bytes, this.text, this.keys);
    for (;;) {
      if (!this.isNext(redactor)) return;
      if (this.inPart >= OBJECTS_MAX) await this.closePart();
      this.part ??= await this.openPart();
      if (this.inPart > 0) this.text.copy(BETWEEN, 0, BETWEEN.length);
      this.copy(redactor);
      this.inPart += 1;
      this.objects += 1;
      if (this.text.length >= WRITE_BYTES) await this.write(this.part);
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
    this.text.clear();
  }

  private isNext(redactor: ObjectRedactor): boolean {
    return this.guarded(() => redactor.hasNext());
  }

  private copy(redactor: ObjectRedactor): void {
    this.guarded(() => redactor.copyNext());
  }

  /** What is no JSON in the middle of a list is nothing that another kind would suffer from. */
  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
      const message = `the server's list of ${this.kind.resource} is not JSON: ${error.message}`;
      throw new RegaugeError('refused', message, { cause: error });
    }
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
    this.text.write(`${JSON.stringify(head).slice(0, -1)},"items":[\n`);
    return part;
  }

  private async write(part: SnapshotPart): Promise<void> {
    await part.write(this.text.view());
    this.text.clear();
  }

  private async closePart(): Promise<void> {
    if (this.part === undefined) return;
    this.text.write('\n]}\n');
    await this.write(this.part);
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
