/** Pages come in as text and scenarios as data: by scripts/bundled-files.mjs, for esbuild and vitest. */
declare module '*.md' {
  const text: string;
  export default text;
}
declare module '*.yaml' {
  const data: unknown;
  export default data;
}
/** A program for other machines, bundled and made small. */
declare module '*.script' {
  const text: string;
  export default text;
}
