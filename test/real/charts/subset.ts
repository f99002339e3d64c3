/** Whether one tree says nothing that another does not; lists with names are matched by name. */

/** A line per place where `said` has what `real` has not; none when it is part of it. */
export function lacking(said: unknown, real: unknown, at: string): readonly string[] {
  if (said === undefined) return [];
  if (Array.isArray(said)) {
    if (!Array.isArray(real)) return [differs(at, said, real)];
    return lackingInList(said, real, at);
  }
  if (said !== null && typeof said === 'object') {
    const entries = Object.entries(said);
    if (entries.length === 0) return [];
    if (real === null || typeof real !== 'object') return [differs(at, said, real)];
    return entries.flatMap(([key, value]) =>
      // Tables of what YAML gave.
      lacking(value, (real as Readonly<Record<string, unknown>>)[key], `${at}.${key}`),
    );
  }
  return Object.is(said, real) ? [] : [differs(at, said, real)];
}

function lackingInList(
  said: readonly unknown[],
  real: readonly unknown[],
  at: string,
): readonly string[] {
  const named = said.every((entry) => keyOf(entry) !== undefined);
  if (!named) {
    const same = JSON.stringify(said) === JSON.stringify(real);
    return same ? [] : [differs(at, said, real)];
  }
  return said.flatMap((entry) => {
    const key = keyOf(entry);
    const counterpart = real.find((one) => keyOf(one) === key);
    return counterpart === undefined
      ? [`${at}[${key ?? ''}]: not in Helm's rendering`]
      : lacking(entry, counterpart, `${at}[${key ?? ''}]`);
  });
}

/** Volumes, mounts, containers and variables; a mount by its path, as several may be of one volume. */
function keyOf(entry: unknown): string | undefined {
  if (entry === null || typeof entry !== 'object') return undefined;
  const { mountPath, name } = entry as { readonly mountPath?: unknown; readonly name?: unknown };
  const key = mountPath ?? name;
  return typeof key === 'string' ? key : undefined;
}

function differs(at: string, said: unknown, real: unknown): string {
  return `${at}: the model has ${show(said)}, Helm ${show(real)}`;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
