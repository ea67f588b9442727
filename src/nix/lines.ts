import type { Readable } from 'node:stream';
import { printable } from './message.ts';

/** A build may write gigabytes; an error shows its end. */
const KEPT = 256 * 1024;

/** Passes a stream on line by line, without colours, and keeps its last part. */
export function readLines(stream: Readable, onLine: (line: string) => void): { tail(): string } {
  let kept = '';
  let rest = '';
  const pass = (line: string): void => {
    const plain = printable(line);
    kept += `${plain}\n`;
    if (kept.length > 2 * KEPT) kept = kept.slice(-KEPT);
    onLine(plain);
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > KEPT) {
      parts.push(rest);
      rest = '';
    }
    for (const part of parts) pass(part);
  });
  stream.on('end', () => {
    if (rest !== '') pass(rest);
    rest = '';
  });
  return { tail: () => kept };
}
