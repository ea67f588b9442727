import type { CommandContext, Io } from './io.ts';
import { GENERAL_HELP } from './help.ts';

/** What a shell reports for a program that a signal ended. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof SIGNAL_EXITS;

/** Modules are loaded by the command that needs them, so that none pays for another one's. */
const COMMANDS: Readonly<Record<string, () => Promise<(context: CommandContext) => Promise<void>>>> = {
  pack: async () => (await import('./pack-command.ts')).packCommand,
  nix: async () => (await import('./nix-command.ts')).nixCommand,
  buildout: async () => (await import('./buildout-command.ts')).buildoutCommand,
  push: async () => (await import('./push-command.ts')).pushCommand,
  inspect: async () => (await import('./inspect-command.ts')).inspectCommand,
  instance: async () => (await import('./instance-command.ts')).instanceCommand,
};

/** Runs the command line and returns its exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name = '--help', ...rest] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    (argv.length === 0 ? io.stderr : io.stdout).write(GENERAL_HELP);
    return argv.length === 0 ? 2 : 0;
  }
  return withSignals(io, async (signal) => {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load === undefined) {
      const { unknownCommand } = await import('./print-error.ts');
      throw unknownCommand(name, Object.keys(COMMANDS));
    }
    const command = await load();
    await command({ argv: rest, io, signal });
  });
}

async function withSignals(io: Io, work: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const controller = new AbortController();
  let stopped: StopSignal | null = null;
  const stop = (name: StopSignal): void => {
    // The second time the user means it: what is under way is left to the next run's clearing up.
    if (stopped !== null) io.exit(SIGNAL_EXITS[name]);
    stopped = name;
    controller.abort(name);
  };
  io.on('SIGINT', stop);
  io.on('SIGTERM', stop);
  try {
    await work(controller.signal);
    return 0;
  } catch (error) {
    const { printError } = await import('./print-error.ts');
    const code = printError(error, io);
    return stopped !== null && code === SIGNAL_EXITS.SIGINT ? SIGNAL_EXITS[stopped] : code;
  } finally {
    io.off('SIGINT', stop);
    io.off('SIGTERM', stop);
  }
}
