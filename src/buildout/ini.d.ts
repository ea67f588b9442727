/** The one function of the npm package `ini` that is used here; the package ships no types. */
declare module 'ini' {
  export function parse(text: string): Record<string, unknown>;
}
