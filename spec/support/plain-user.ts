/** Nobody, on every Linux. */
const NOBODY = 65_534;

/** Runs `use` without root's right to read and write everything: as nobody, or as whoever runs the tests. */
export async function asPlainUser<T>(use: () => Promise<T>): Promise<T> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(NOBODY);
  try {
    return await use();
  } finally {
    if (root) process.seteuid?.(0);
  }
}
