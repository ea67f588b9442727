import type { OnProgress, ProgressEvent } from '../index.ts';
import type { Io } from './io.ts';
import { printable } from './printable.ts';

/** How often a line is written where no terminal shows a bar. */
const PLAIN_MILLISECONDS = 5000;
const BAR_MILLISECONDS = 100;
const BAR_CELLS = 24;

/** What Nix says it does. What its builders say is in their logs, and an error shows the end of it. */
const ACTIVITY = /^(building|copying|downloading|fetching|querying|warning:|error:|trace:)/;

export interface Progress {
  readonly onProgress: OnProgress;
  /** Clears the bar, so that what follows begins on a line of its own. */
  end(): void;
}

/** Progress on stderr: a bar on a terminal, plain lines elsewhere. */
export function showProgress({ stderr }: Pick<Io, 'stderr'>, quiet: boolean): Progress {
  const terminal = stderr.isTTY;
  const between = terminal ? BAR_MILLISECONDS : PLAIN_MILLISECONDS;
  let next = 0;
  let last: ProgressEvent['kind'] | null = null;
  let bar = false;
  const end = (): void => {
    if (bar) stderr.write('\r\u001b[K');
    bar = false;
  };
  const line = (text: string): void => {
    end();
    stderr.write(`${text}\n`);
  };
  const show = (text: string): void => {
    stderr.write(`\r\u001b[K${text}`);
    bar = true;
  };
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === 'note') {
      line(`note: ${printable(event.text)}`);
      return;
    }
    if (quiet) return;
    if (event.kind === 'nix') {
      if (!ACTIVITY.test(event.line)) return;
      const said = printable(event.line);
      if (terminal) show(said.slice(0, stderr.columns - 1));
      else line(said);
      return;
    }
    const now = Date.now();
    if (now < next && event.kind === last) return;
    next = now + between;
    last = event.kind;
    if (event.kind === 'resolve') {
      const text = `resolving: ${event.distributions}, ${event.name}`;
      if (terminal) show(text.slice(0, stderr.columns - 1));
      else line(text);
      return;
    }
    const text = `${VERBS[event.kind]} ${amount(event)}`;
    if (terminal) show(`${cells(event)}${text}`);
    else line(text);
  };
  return { onProgress, end };
}

type Counted = Extract<ProgressEvent, { readonly bytes: number }>;

const VERBS: Readonly<Record<Counted['kind'], string>> = { read: 'reading', pack: 'packing', push: 'pushing' };

function amount({ bytes, total }: Counted): string {
  return total === null ? megabytes(bytes) : `${megabytes(Math.min(bytes, total))} of ${megabytes(total)}`;
}

function cells({ bytes, total }: Counted): string {
  if (total === null || total === 0) return '';
  const full = Math.min(BAR_CELLS - 1, Math.floor((bytes / total) * BAR_CELLS));
  return `[${'#'.repeat(full)}${' '.repeat(BAR_CELLS - full)}] `;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
