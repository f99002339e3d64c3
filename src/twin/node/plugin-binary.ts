/**
 * CNI plugins as files: what a binary in a bin directory is shows in its first bytes, as it does on
 * a machine. A script starts with `#!`; a program carries its name and version; anything else cannot
 * be executed.
 */
const ELF = '\u007fELF';

export interface PluginProgramFile {
  readonly kind: 'program';
  readonly name: string;
  /** Empty when unknown. */
  readonly version: string;
}

export type PluginBinary =
  | PluginProgramFile
  | { readonly kind: 'script'; readonly text: string }
  | { readonly kind: 'garbage' };

/** The content of an executable plugin: `pluginBinary('flannel', '1.5.1-flannel3')`. */
export function pluginBinary(name: string, version = ''): string {
  return `${ELF} ${name} ${version}`.trimEnd();
}

/**
 * What the kernel would make of executing this content. A content that starts with the file's own
 * name counts as that program, so that an installer may write `cilium-cni 1.16.5`.
 */
export function readPluginBinary(fileName: string, content: string): PluginBinary {
  if (content.startsWith('#!')) return { kind: 'script', text: content };
  const words = (content.startsWith(ELF) ? content.slice(ELF.length) : content).trim().split(/\s+/);
  const [name = '', version = ''] = words;
  const marked = content.startsWith(ELF) && name !== '';
  if (!marked && name !== fileName) return { kind: 'garbage' };
  return { kind: 'program', name, version: version.replace(/^v(?=\d)/, '') };
}

export function looksExecutable(path: string, content: string): boolean {
  return readPluginBinary(path.slice(path.lastIndexOf('/') + 1), content).kind === 'program';
}
