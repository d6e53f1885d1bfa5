/**
 * A static file server on 127.0.0.1 that serves the page from a sub-folder, as plain file hosting does, with the
 * documented headers.
 */

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Where the page lies. */
export const FOLDER = '/some/sub-folder/';

/** What is served. */
export interface Serving {
  /** The built page. */
  readonly page: string;
  /** A folder that answers `sumdb/…` below the page, if any. */
  readonly sumdb?: string;
  /** Whether the documented headers are sent: without them, the page's own policy counts. */
  readonly headers: boolean;
}

/** A server that listens. */
export interface Server {
  readonly origin: string;
  readonly url: string;
  /** What was asked for, in order: paths below the folder, with `!` before what was outside of it. */
  readonly asked: string[];
  /** Stops answering, as a network that is gone; what is connected is cut off. */
  close(): Promise<void>;
}

/** Starts one. `change`: may answer a request in another way, and says whether it did. */
export async function serve(
  serving: Serving,
  change: (path: string, response: ServerResponse, request: IncomingMessage) => boolean = () => false,
): Promise<Server> {
  const asked: string[] = [];
  const headers = serving.headers ? documented(serving.page) : [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (!path.startsWith(FOLDER)) {
      asked.push(`!${path}`);
      response.writeHead(404).end();
      return;
    }
    const name = path.slice(FOLDER.length) || 'index.html';
    asked.push(name);
    for (const [key, value] of headers) response.setHeader(key, value);
    if (change(name, response, request)) return;
    const inSumdb = name.startsWith('sumdb/') && serving.sumdb !== undefined;
    const file = inSumdb ? join(serving.sumdb, normalize(name)) : join(serving.page, normalize(name));
    try {
      if (!statSync(file).isFile()) throw new Error('a folder');
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
      return;
    }
    const type = inSumdb ? 'text/plain; charset=utf-8' : (TYPES[extname(file)] ?? 'application/octet-stream');
    response.writeHead(200, { 'Content-Type': type });
    createReadStream(file).pipe(response);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: origin + FOLDER,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function documented(page: string): [string, string][] {
  const lines = readFileSync(join(page, 'headers.txt'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}
