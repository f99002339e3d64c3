/** Pages and scenarios are imported as text: by esbuild's text loader, and by vitest.config.ts. */
declare module '*.md' {
  const text: string;
  export default text;
}
declare module '*.yaml' {
  const text: string;
  export default text;
}
