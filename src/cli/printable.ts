/** What moves a terminal's cursor, changes its colours or its title; of these only tabs and line ends mean no harm. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A text from an archive, a layout or a registry, such that a terminal does nothing but show it. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
