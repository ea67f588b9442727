/**
 * What holds the builders, from the tightest to the loosest:
 *
 * - `users`: Nix's own sandbox, each builder with a user id of its own. It needs a caller that may map several ids, which
 *   means root. Root's builders must not keep root's id: the id alone opens /proc/sys, namespaces or not.
 * - `sandbox`: Nix's own sandbox, the builder with the caller's id. For callers that are not root.
 * - `view`: bubblewrap alone; the builder sees what Nix sees, in a process namespace of its own with a read-only /proc.
 *   Evaluation is held like that, too.
 */
export type Holding = 'users' | 'sandbox' | 'view';
