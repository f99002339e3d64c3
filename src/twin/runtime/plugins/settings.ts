/** A plugin's own settings, read as its Go struct reads them: type errors in Go's words. */
import { goKindOf, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject, JsonValue } from '../../../knowledge/go-json.ts';

export class Settings {
  /** The first type error met, as encoding/json says it. */
  error: string | undefined;
  private readonly raw: JsonObject;
  private readonly struct: string;

  constructor(raw: JsonObject, struct: string) {
    this.raw = raw;
    this.struct = struct;
  }

  text(name: string): string | undefined {
    const value = structField(this.raw, name);
    if (value === undefined || typeof value === 'string') return value;
    this.complain(name, value, 'string');
    return undefined;
  }

  flag(name: string): boolean {
    const value = structField(this.raw, name);
    if (value === undefined || typeof value === 'boolean') return value === true;
    this.complain(name, value, 'bool');
    return false;
  }

  number(name: string): number | undefined {
    const value = structField(this.raw, name);
    if (value === undefined || typeof value === 'number') return value;
    this.complain(name, value, 'int');
    return undefined;
  }

  private complain(name: string, value: JsonValue, type: string): void {
    this.error ??= `json: cannot unmarshal ${goKindOf(value)} into Go struct field ${this.struct}.${name} of type ${type}`;
  }
}
