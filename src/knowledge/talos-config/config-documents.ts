/** The documents of a machine config, and which of two texts are about the same thing. */
import { documentsOf } from './document-text.ts';

export type ConfigDocument = Readonly<Record<string, unknown>>;

export function configDocuments(text: string): readonly ConfigDocument[] {
  return documentsOf(text).filter(
    (value): value is ConfigDocument =>
      value !== null && typeof value === 'object' && !Array.isArray(value),
  );
}

/** The main document has no kind; the others are told apart by kind and name. */
export function isSameDocument(left: ConfigDocument, right: ConfigDocument): boolean {
  return left['kind'] === right['kind'] && left['name'] === right['name'];
}
