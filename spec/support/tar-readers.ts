import { execFileSync } from 'node:child_process';

/** An entry as a reader that is not ours sees it. */
export interface SeenEntry {
  readonly name: string;
  readonly type: 'file' | 'folder' | 'link' | 'hard link' | 'other';
  readonly mode: number;
  readonly owner: string;
  readonly mtime: number;
  readonly size: number;
  readonly target: string;
  /** Of a file's content. */
  readonly sha256: string;
  readonly pax: Readonly<Record<string, string>>;
}

const PYTHON = `
import hashlib, json, sys, tarfile
kinds = {tarfile.REGTYPE: 'file', tarfile.DIRTYPE: 'folder', tarfile.SYMTYPE: 'link', tarfile.LNKTYPE: 'hard link'}
seen = []
with tarfile.open(fileobj=sys.stdin.buffer, mode='r|') as tar:
    for info in tar:
        content = tar.extractfile(info).read() if info.isreg() else b''
        seen.append({'name': info.name, 'type': kinds.get(info.type, 'other'), 'mode': info.mode,
            'owner': f'{info.uid}:{info.gid}:{info.uname}:{info.gname}', 'mtime': info.mtime, 'size': info.size,
            'target': info.linkname, 'sha256': hashlib.sha256(content).hexdigest(), 'pax': info.pax_headers})
json.dump(seen, sys.stdout)
`;

const MAX_OUTPUT = 64 * 1024 * 1024;

/** Python's tarfile. */
export function seenByPython(tar: Uint8Array): readonly SeenEntry[] {
  return JSON.parse(execFileSync('python3', ['-c', PYTHON], { input: tar, maxBuffer: MAX_OUTPUT }).toString());
}

/** GNU tar's listing, a line an entry: `drwxr-xr-x 0/0 0 1970-01-01 00:00:01 nix/`. */
export function seenByGnuTar(tar: Uint8Array): readonly string[] {
  const options = ['--list', '--verbose', '--numeric-owner', '--full-time', '--quoting-style=literal', '--utc'];
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  const listing = execFileSync('tar', [...options, '--file=-'], { input: tar, maxBuffer: MAX_OUTPUT, env }).toString();
  return listing
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/ +/g, ' '));
}
