const PROJECT_NAME = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i;

/** The one spelling by which a project is compared (PEP 503): `Products.CMFPlone` and `products_cmfplone` are one. */
export function canonicalName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** Whether a text can be the name of a project or of an extra (PEP 508). */
export function isProjectName(name: string): boolean {
  return PROJECT_NAME.test(name);
}
