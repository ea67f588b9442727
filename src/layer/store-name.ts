/** A hash of 32 digits and a name, as Nix's store paths have it. */
const STORE_NAME = /^[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\-._?=]+$/;

/** Whether something in /nix/store is a store path by its name. */
export function isStoreName(name: string): boolean {
  return STORE_NAME.test(name);
}
