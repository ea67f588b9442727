/** What a command has of the process it runs in. */
export type Io = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env' | 'on' | 'off' | 'exit'>;

/** What every command gets. */
export interface CommandContext {
  readonly argv: readonly string[];
  readonly io: Io;
  readonly signal: AbortSignal;
}
